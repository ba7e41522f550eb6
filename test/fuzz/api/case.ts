/** One case: a public function, called some times with one argument replaced by junk. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as g from '../../../lib/index.ts'
import { Random } from '../random.ts'
import { allJunk, isWrong, type Junk, OwnError } from './junk.ts'
import { receivers, recipes } from './receivers.ts'
import { type Entry, type Parameter, publicSurface } from './surface.ts'
import { argumentFor } from './values.ts'

/** What writes files writes them there. */
const folder = mkdtempSync(join(tmpdir(), 'galvani-api-'))
process.chdir(folder)
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

/** Those that read data sets, end with a process-wide setting, or are made of what a user threw. */
const leftOut = /^(datasets\.|setBackend$|setNumThreads$|setSeed$)|Error(\.prototype\..*)?$/

const isOfTensor = ({ path, form }: Entry): boolean => form === 'method' && path.startsWith('Tensor.prototype.')

/** What a method of tensors is called on, as the first of its arguments. */
const receiver: Parameter = { name: 'this', kinds: new Set(['tensor']), types: ['Tensor'], properties: {} }

export const surface: readonly Entry[] = publicSurface()
  .filter(({ path }) => !leftOut.test(path))
  .map((entry) =>
    isOfTensor(entry)
      ? { ...entry, signatures: entry.signatures.map((parameters) => [receiver, ...parameters]) }
      : entry,
  )

const triesPerCase = 12

const at = (path: string): unknown =>
  path.split('.').reduce<unknown>((value, name) => (value as Record<string, unknown>)[name], g)

export type { Entry }

/** Calls an entry, on a receiver of its own where it is a method: of tensors the first of its arguments. */
export async function invoke(entry: Entry, args: readonly unknown[]): Promise<unknown> {
  const { path, form } = entry
  const owner = path.split('.prototype.')[0]!.split('.').at(-1)!
  const name = path.split('.').at(-1)!
  const [receiver, given] = isOfTensor(entry)
    ? [args[0] as object, args.slice(1)]
    : [form === 'method' || form === 'setter' ? await (receivers[owner] ?? receivers.Module!)() : undefined, args]
  if (form === 'constructor') return Reflect.construct(at(path) as () => unknown, given)
  if (form === 'setter') return Reflect.set(receiver!, name, given[0])
  const callee = (receiver === undefined ? at(path) : Reflect.get(receiver, name)) as () => unknown
  return Reflect.apply(callee, receiver, given)
}

/** Calls an entry, and computes what it gives where that is small. */
async function call(entry: Entry, args: readonly unknown[]): Promise<void> {
  const result = await invoke(entry, args)
  for (const x of Array.isArray(result) ? result.slice(0, 4) : [result])
    if (x instanceof g.Tensor && x.size < 2 ** 16) await x.data()
}

const baselines = new Map<string, readonly unknown[] | null>()

/** Arguments that the entry takes, found by trying; null where none were found. */
export async function baselineOf(entry: Entry, signature: number): Promise<(() => readonly unknown[]) | null> {
  const name = entry.path.replace('Tensor.prototype.', '')
  if (Object.hasOwn(recipes, name)) return recipes[name]!
  const key = `${entry.path} ${entry.form} ${signature}`
  let found = baselines.get(key)
  if (found === undefined) {
    const { value } = await argumentsTaken(entry, entry.signatures[signature]!, 400).next()
    found = value ?? null
    baselines.set(key, found)
  }
  const known = found
  return known && (() => known)
}

/** Those of so many tries that the entry takes. */
export async function* argumentsTaken(
  entry: Entry,
  parameters: readonly Parameter[],
  tries: number,
): AsyncGenerator<readonly unknown[], undefined> {
  for (let attempt = 0; attempt < tries; attempt++) {
    const random = new Random(77, attempt)
    const args = parameters.map((parameter) => argumentFor(parameter, random))
    try {
      await call(entry, args)
    } catch {
      continue
    }
    yield args
  }
}

/** An argument, or one option, replaced by junk. */
interface Attack {
  readonly args: unknown[]
  readonly text: string
  readonly isWrong: boolean
}

function attack(parameters: readonly Parameter[], base: readonly unknown[], random: Random): Attack {
  const junk = random.pick(allJunk)
  const first = Number(parameters[0] === receiver)
  const position = first + random.below(parameters.length + 1 - first)
  const parameter = parameters[position]
  const args = [...base]
  if (parameter === undefined) {
    while (args.length < parameters.length) args.push(undefined)
    args.push(junk.make())
    return { args, text: `${junk.text} beyond the last argument`, isWrong: false }
  }
  const names = Object.keys(parameter.properties)
  if (names.length === 0 || !parameter.kinds?.has('object') || random.oneIn(3)) {
    args[position] = junk.make()
    return { args, text: `${junk.text} for ${parameter.name}`, isWrong: isWrongFor(parameter, junk) }
  }
  const name = random.pick(names)
  args[position] = { ...(base[position] as object | undefined), [name]: junk.make() }
  return { args, text: `{ ${name}: ${junk.text} }`, isWrong: isWrongFor(parameter.properties[name]!, junk) }
}

/** undefined stands for what is not given, and an empty object is a record of nothing. */
const isWrongFor = (parameter: Pick<Parameter, 'kinds' | 'types'>, junk: Junk): boolean =>
  junk.kind !== 'undefined' && isWrong(parameter, junk)

/** Of the library's own making, as `op: expected X, got Y` or at least by the name of the operation. */
export function isClear(error: unknown): boolean {
  if (error instanceof OwnError) return true
  if (!(error instanceof Error) || error.name === 'ProgramError' || error.name === 'InternalError') return false
  // A revoked proxy has the engine throw wherever it is met.
  return /^(?!internal)[\w.]+: |proxy that has been revoked$/.test(error.message)
}

async function outcomeOf(entry: Entry, { args, text, isWrong }: Attack, mayAccept: boolean): Promise<string> {
  try {
    await call(entry, args)
  } catch (error) {
    if (isClear(error)) return 'refused'
    const what = error instanceof Error ? `${error.name}: ${error.message.slice(0, 200)}` : `${typeof error} thrown`
    throw new Error(`${entry.path} (${entry.form}) with ${text}: ${what}`)
  }
  if (isWrong && !mayAccept) throw new Error(`${entry.path} (${entry.form}) takes ${text}`)
  return 'taken'
}

/** Tries one entry, `triesPerCase` times. */
export async function tryCase(seed: number, number: number): Promise<Record<string, number>> {
  const entry = surface[number % surface.length]!
  const random = new Random(seed, number)
  const counts: Record<string, number> = {}
  const faults = new Set<string>()
  g.setSeed(1)
  const index = random.below(entry.signatures.length)
  const base = await baselineOf(entry, index)
  for (let i = 0; i < triesPerCase; i++) {
    const parameters = entry.signatures[index]!
    const given = base?.() ?? parameters.map((parameter) => argumentFor(parameter, random))
    try {
      const outcome = await outcomeOf(
        entry,
        attack(parameters, given, random),
        base === null || entry.signatures.length > 1,
      )
      counts[outcome] = (counts[outcome] ?? 0) + 1
    } catch (error) {
      faults.add((error as Error).message)
    }
  }
  if (base === null) counts['without arguments that it takes'] = 1
  if (faults.size > 0) throw new Error([...faults].join('\n'))
  return counts
}
