/** The summary of a model: what each module gives, seen while its forward pass is recorded, and what it holds, as a table. */
import { bytesPerElement } from '../base/dtype.ts'
import { isPlainObject } from '../base/options.ts'
import { checkShape, formatShape, type Shape } from '../base/shape.ts'
import { leavesOf } from '../base/tree.ts'
import { zeros } from '../tensor/creation.ts'
import { Tensor } from '../tensor/tensor.ts'
import type { Variable } from '../tensor/variable.ts'
import { compile } from '../transforms/compile.ts'
import { titleOf } from './repr.ts'

/** What a summary is about, by the paths in a model. */
export interface Summarized {
  readonly modules: ReadonlyMap<object, string>
  readonly variables: Readonly<Record<string, Variable>>
}

/** What a module gave when it was called first, and how often it was called. */
interface Calls {
  readonly output: string
  count: number
}

type Around = (module: object, call: () => unknown, args: readonly unknown[]) => unknown

type Forwarding = { forward: (...args: readonly unknown[]) => unknown }

/** Runs a forward pass that is recorded and never computed, and gives the shapes of what the modules called in it gave. */
export function watchForward(
  modules: Summarized['modules'],
  inputs: readonly unknown[],
  forward: (inputs: readonly unknown[]) => void,
): ReadonlyMap<object, Calls> {
  const calls = new Map<object, Calls>()
  const note = (module: object, call: () => unknown): unknown => {
    const result = call()
    const known = calls.get(module)
    if (known === undefined) calls.set(module, { output: formatOutput(result), count: 1 })
    else known.count++
    return result
  }
  aroundForward(modules.keys(), note, () => {
    // It returns nothing, so that what was recorded is not prepared either.
    compile((...given: unknown[]) => forward(given)).program(...inputs.map(likeInput))
  })
  return calls
}

/** Runs `fn`; meanwhile a call of `forward` of one of the modules is what `around` makes of it and of what it is given. */
export function aroundForward<T>(modules: Iterable<object>, around: Around, fn: () => T): T {
  const unwatch = [...modules].filter(Object.isExtensible).map((module) => watch(module as Forwarding, around))
  try {
    return fn()
  } finally {
    for (const restore of unwatch.reverse()) restore()
  }
}

/** Has a module call something else, by a `forward` of its own; the result takes that back. */
function watch(module: Forwarding, around: Around): () => void {
  const own = Object.getOwnPropertyDescriptor(module, 'forward')
  const { forward } = module
  const value = (...args: readonly unknown[]): unknown =>
    around(module, () => Reflect.apply(forward, module, args), args)
  Object.defineProperty(module, 'forward', { value, configurable: true, enumerable: own?.enumerable ?? false })
  return () => {
    if (own === undefined) Reflect.deleteProperty(module, 'forward')
    else Object.defineProperty(module, 'forward', own)
  }
}

/** The input itself, with zeros in the place of each shape. */
function likeInput(input: unknown): unknown {
  // Ends for what has itself in it.
  leavesOf('summary', 'input', input)
  return withZeros(input)
}

function withZeros(input: unknown): unknown {
  if (isShape(input)) return zeros(checkShape('summary', input))
  if (Array.isArray(input)) return input.map(withZeros)
  if (!isPlainObject(input)) return input
  return Object.fromEntries(Object.entries(input).map(([name, x]) => [name, withZeros(x)]))
}

const isShape = (x: unknown): x is Shape => Array.isArray(x) && x.every((extent) => typeof extent === 'number')

function formatOutput(value: unknown): string {
  if (value instanceof Tensor) return formatShape(value.shape)
  return leavesOf('summary', '', value)
    .flatMap(([path, leaf]) => (leaf instanceof Tensor ? [`${path.slice(1)}: ${formatShape(leaf.shape)}`] : []))
    .join(', ')
}

/** The table: a line for each module, and one for each kind of parameter. */
export function formatSummary({ modules, variables }: Summarized, calls: ReadonlyMap<object, Calls>): string {
  const paths = new Set(modules.values())
  const own = new Map([...paths].map((path): [string, Variable[]] => [path, []]))
  for (const [path, variable] of Object.entries(variables)) own.get(ownerAmong(paths, path))!.push(variable)
  const depths = new Map<string, number>()
  const rows = [...modules].map(([module, path]) => {
    const above = ownerAmong(paths, path)
    const depth = path === '' ? 0 : depths.get(above)! + 1
    depths.set(path, depth)
    const key = path === '' ? '' : `${path.slice(above === '' ? 0 : above.length + 1)}: `
    const name = `${'  '.repeat(depth)}${key}${titleOf(module)}`
    return [name, formatCalls(calls.get(module)), ...formatCount(own.get(path)!)]
  })
  return formatTable([['module', 'output', 'parameters', 'bytes'], ...rows, ...totals(Object.values(variables))])
}

/** The path of the innermost module around what has a path. */
function ownerAmong(paths: ReadonlySet<string>, path: string): string {
  const end = path.lastIndexOf('.')
  const above = path.slice(0, Math.max(0, end))
  return paths.has(above) ? above : ownerAmong(paths, above)
}

function formatCalls(calls: Calls | undefined): string {
  if (calls === undefined) return '—'
  return calls.count === 1 ? calls.output : `${calls.output} (${calls.count} calls)`
}

const format = (n: number): string => n.toLocaleString('en-US')

function formatCount(variables: readonly Variable[]): [parameters: string, bytes: string] {
  const parameters = variables.reduce((sum, { size }) => sum + size, 0)
  const bytes = variables.reduce((sum, { size, dtype }) => sum + size * bytesPerElement(dtype), 0)
  return [format(parameters), format(bytes)]
}

const totals = (variables: readonly Variable[]): string[][] => [
  ['total', '', ...formatCount(variables)],
  ['trainable', '', ...formatCount(variables.filter(({ trainable }) => trainable))],
  ['not trainable', '', ...formatCount(variables.filter(({ trainable }) => !trainable))],
]

/** Columns of text to the left, of numbers to the right, with lines under the heading and above the three totals. */
function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  const lines = rows.map((row) =>
    row
      .map((cell, column) => (column < 2 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('  ')
      .trimEnd(),
  )
  const rule = '─'.repeat(widths.reduce((sum, width) => sum + width + 2, -2))
  return [lines[0]!, rule, ...lines.slice(1, -3), rule, ...lines.slice(-3)].join('\n')
}
