/** Whether a public function keeps a list or options of its caller: they change after the call, and what it gives has to be the same. */
import * as g from '../../../lib/index.ts'
import { argumentsTaken, type Entry, invoke, surface } from './case.ts'

/** Lists, options and typed arrays, copied all the way down; all else is itself. */
function copied(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copied)
  if (ArrayBuffer.isView(value)) return (value as Float32Array).slice()
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, copied(item)]))
}

/** Changes every number of lists and options, and takes lists apart. */
function spoil(value: unknown): void {
  if (ArrayBuffer.isView(value)) (value as Float32Array).fill(77)
  else if (Array.isArray(value)) {
    for (const item of value) spoil(item)
    value.reverse()
    value.push(77)
  } else if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype)
    for (const [key, item] of Object.entries(value)) {
      spoil(item)
      Reflect.set(value, key, 77)
    }
}

const isSpoilable = (value: unknown): boolean =>
  Array.isArray(value) || ArrayBuffer.isView(value) || (typeof value === 'object' && value?.constructor === Object)

/** What tensors hold, as text. */
async function valuesOf(result: unknown): Promise<string> {
  if (result instanceof g.Tensor) return `${result} ${(await result.data()).join()}`
  if (Array.isArray(result)) return (await Promise.all(result.map(valuesOf))).join(' | ')
  if (result instanceof g.nn.Module) return valuesOf(Object.values(result.stateDict()))
  return typeof result === 'object' && result !== null ? valuesOf(Object.values(result)) : String(typeof result)
}

async function valuesAfter(entry: Entry, args: readonly unknown[], change: (args: readonly unknown[]) => void) {
  g.setSeed(3)
  const given = args.map(copied)
  const result = await invoke(entry, given)
  change(given)
  return valuesOf(result)
}

/** The entries that keep something, of each some calls, and how many of these there were. */
export async function keepers(): Promise<{ found: string[]; tried: number }> {
  const found: string[] = []
  let tried = 0
  for (const entry of surface)
    for (const parameters of entry.signatures)
      for await (const args of argumentsTaken(entry, parameters, 40)) {
        if (!args.some(isSpoilable)) continue
        tried++
        const before = await valuesAfter(entry, args, () => {})
        const after = await valuesAfter(entry, args, spoil)
        if (before !== after)
          found.push(`${entry.path} (${entry.form}) ${args.map(String).join('; ')}: ${before} then ${after}`)
      }
  return { found, tried }
}
