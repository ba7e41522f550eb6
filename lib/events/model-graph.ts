/** The graph of a model's forward pass, with the modules that its operations are in. */
import { leavesOf } from '../base/tree.ts'
import { type Node, nodeCount, topologicalOrder } from '../graph/node.ts'
import { isLiteral } from '../graph/ops/leaf.ts'
import { Module, withMode } from '../nn/module.ts'
import { aroundForward } from '../nn/summary.ts'
import { randomStream } from '../tensor/random.ts'
import { nodeOf, Tensor } from '../tensor/tensor.ts'
import { activeTrace, withoutAssignments } from '../tensor/trace.ts'
import { cellOf } from '../tensor/variable.ts'
import type { Settings } from '../train/options.ts'
import type { Argument, Source } from '../train/source.ts'
import { parametersOf } from '../train/steps.ts'
import { compile } from '../transforms/compile.ts'
import type { GraphNodeValue } from './record.ts'

/** The nodes that a call of a module made, those of modules in it among them. */
interface Span {
  readonly path: string
  readonly from: number
  readonly to: number
}

/** The same value: what reads one of these reads what it reads. */
const passedOn = new Set(['watch', 'stopGradient', 'broadcastTo'])

/** Records the forward pass on a batch in evaluation mode; nothing is computed. */
export function graphOf(
  { op, model, source, seed }: Pick<Settings, 'op' | 'model' | 'seed'> & { readonly source: Pick<Source, 'batch'> },
  argument: Argument,
): readonly GraphNodeValue[] {
  let nodes: readonly GraphNodeValue[] = []
  const record = (argument: Argument): void => {
    const { x } = source.batch(argument)
    const { prediction, spans } = forwardWithSpans(model, x)
    nodes = described({ model, x, prediction, spans })
  }
  const run = (argument: Argument): void =>
    randomStream(seed).run(() =>
      withoutAssignments(() => withMode(model, parametersOf(op, model), false, () => record(argument))),
    )
  // It returns nothing, so that nothing is prepared.
  compile(run).program(argument)
  return nodes
}

function forwardWithSpans(model: Settings['model'], x: unknown): { prediction: unknown; spans: readonly Span[] } {
  const paths = new Map(
    model instanceof Module ? Object.entries(model.namedModules()).map(([path, x]) => [x as object, path]) : [],
  )
  const spans: Span[] = []
  // An inner call ends, and stands, before the one around it.
  const around = (module: object, call: () => unknown): unknown => {
    const from = nodeCount()
    const result = call()
    spans.push({ path: paths.get(module)!, from, to: nodeCount() })
    return result
  }
  return { prediction: aroundForward(paths.keys(), around, () => model.forward(x as never)), spans }
}

const tensorsIn = (tree: unknown): [string, Node][] =>
  leavesOf('observe', '', tree).flatMap(([path, leaf]): [string, Node][] =>
    leaf instanceof Tensor ? [[path.replaceAll('.', '/'), nodeOf(leaf)]] : [],
  )

interface Forward {
  readonly model: Settings['model']
  readonly x: unknown
  readonly prediction: unknown
  readonly spans: readonly Span[]
}

function described({ model, x, prediction, spans }: Forward): GraphNodeValue[] {
  const names = new Names()
  const known = new Map<Node, { readonly name: string; readonly op: string }>()
  for (const [path, node] of tensorsIn(x)) known.set(node, { name: names.free(`input${path}`), op: 'input' })
  for (const [leaf, name] of parametersRead(model)) known.set(leaf, { name: names.free(name), op: 'parameter' })
  const outputs = tensorsIn(prediction)
  const inputsOf = (node: Node): readonly Node[] => (known.get(node)?.op === 'input' ? [] : node.inputs)
  const order = topologicalOrder(
    outputs.map(([, node]) => node),
    inputsOf,
  )
  const own = order.filter((node) => known.has(node) || !(passedOn.has(node.def.name) || isLiteral(node)))
  for (const node of own) if (!known.has(node)) known.set(node, about(node, spans, names))
  const read = (inputs: readonly Node[]): string[] =>
    inputs.flatMap((input) => known.get(passed(input, known))?.name ?? [])
  const nodes = own.map((node) => ({ ...known.get(node)!, inputs: read(inputsOf(node)), ...typeOf(node) }))
  const ends = outputs.map(([path, node]) => ({
    ...{ name: names.free(`output${path}`), op: 'output', inputs: read([node]) },
    ...typeOf(node),
  }))
  return [...nodes, ...ends]
}

const typeOf = ({ dtype, shape }: Node) => ({ dtype, shape: [...shape] })

/** What is read by who reads a node that only passes on. */
function passed(node: Node, known: ReadonlyMap<Node, unknown>): Node {
  let found = node
  while (!known.has(found) && passedOn.has(found.def.name)) found = found.inputs[0]!
  return found
}

function about({ id, def }: Node, spans: readonly Span[], names: Names): { name: string; op: string } {
  const path = spans.find(({ from, to }) => id >= from && id < to)?.path ?? ''
  const op = def.name === 'data' ? 'constant' : def.name
  return { name: names.free(path === '' ? op : `${path}/${op}`), op }
}

/** The leaves of the variables that were read, with their paths. */
function parametersRead(model: Settings['model']): [Node, string][] {
  const variables = model instanceof Module ? { ...model.namedParameters(), ...model.namedBuffers() } : {}
  const paths = new Map(Object.entries(variables).map(([path, variable]) => [cellOf(variable), path]))
  return Array.from(activeTrace()!.variables, ([cell, { leaf }]) => {
    const path = paths.get(cell) ?? 'variable'
    const dot = path.lastIndexOf('.')
    return [leaf, dot < 0 ? path : `${path.slice(0, dot)}/${path.slice(dot + 1)}`]
  })
}

/** Names that are given once each. */
class Names {
  readonly #counts = new Map<string, number>()

  free(name: string): string {
    const count = this.#counts.get(name) ?? 0
    this.#counts.set(name, count + 1)
    return count === 0 ? name : this.free(`${name}_${count}`)
  }
}
