/**
 * The graph that is exported: one graph of what was recorded for some sizes of the batch, in which numbers that differ between
 * the recordings are functions of that size. Operations that only matter for gradients are gone.
 */

import type { DType } from '../../base/dtype.ts'
import { expectation, InternalError } from '../../base/errors.ts'
import { elementAt } from '../../base/lists.ts'
import { type AnyNode, type Node, type OpDef, type ParamValue, topologicalOrder } from '../../graph/node.ts'
import { demandOps } from '../../graph/ops/demand.ts'
import { gradientRuleOps } from '../../graph/ops/gradient-rules.ts'
import { isLiteral, leafOps } from '../../graph/ops/leaf.ts'
import { randomOps } from '../../graph/ops/random.ts'
import { type Dim, dimOf, type Symbolic } from './dims.ts'

/** A parameter of an operation: what holds numbers may depend on the batch. */
export type Params = Readonly<Record<string, Symbolic<ParamValue>>>

/** An operation or a leaf of the exported graph. */
export interface Operation<P = Params> {
  readonly name: string
  readonly dtype: DType
  readonly shape: readonly Dim[]
  readonly params: P
  readonly inputs: readonly Operation[]
  /** What it was in each of the recordings. */
  readonly nodes: readonly Node[]
}

/** Operations whose value is that of their first input. */
const views: ReadonlySet<unknown> = new Set<unknown>([
  leafOps.watch.lower,
  leafOps.stopGradient.lower,
  gradientRuleOps.barrier.lower,
  gradientRuleOps.checkpoint.lower,
  gradientRuleOps.customGradient.lower,
  demandOps.demand.lower,
  randomOps.drawn.lower,
] satisfies OpDef<never, never>['lower'][])

/** The node that has the value: what others are a mere view of. */
export function sourceOf(node: AnyNode): Node {
  let value = node as Node
  while (value.storage === null && views.has(value.def.lower)) value = elementAt(value.inputs, 0)
  return value
}

const none: readonly Node[] = []

/** What a value is computed from; nothing of one that is there. */
const inputsOf = (node: Node): readonly Node[] => (node.storage === null ? node.inputs.map(sourceOf) : none)

/** What messages call a node: a constant by the operation that reads it. */
function titleIn(order: readonly Node[], node: Node): string {
  if (node.storage === null && node.inputs.length > 0) return node.def.name
  let leaf = node
  for (const reader of order) {
    if (!inputsOf(reader).includes(leaf)) continue
    if (reader.def.name !== 'broadcastTo') return `a constant of ${reader.def.name}`
    leaf = reader
  }
  return 'a constant'
}

export class ExportedGraph {
  readonly #known = new Map<Node, Operation>()
  readonly #readers = new Map<Operation, Operation[]>()

  /** @param batches the size of the batch in each recording */
  constructor(
    readonly op: string,
    readonly batches: readonly number[],
  ) {}

  /** The operations for some roots of each recording, in the same order. */
  merge(recordings: readonly (readonly Node[])[]): Operation[] {
    const roots = recordings.map((nodes) => nodes.map(sourceOf))
    const orders = roots.map((nodes) => topologicalOrder(nodes, inputsOf))
    const places = orders.map((order) => new Map(order.map((node, i) => [node, i])))
    const [first = none] = orders
    first.forEach((node, i) => {
      const nodes = orders.map((order) => order[i])
      if (!nodes.every((other) => other !== undefined)) throw this.differs(node.def.name, 'the kind')
      this.#checkInputs(nodes, places)
      this.#add(nodes, () => titleIn(first, node))
    })
    if (orders.some(({ length }) => length !== first.length))
      throw this.differs(roots[0]?.[0]?.def.name ?? '', 'the kind')
    return elementAt(roots, 0).map((root) => this.at(root))
  }

  /** Those that were merged so far, each after its inputs. */
  get operations(): readonly Operation[] {
    return [...this.#known.values()]
  }

  /** The operation that a node of the first recording is a part of. */
  at(node: Node): Operation {
    const operation = this.find(node)
    if (operation === undefined) throw new InternalError(`${node.def.name} is not in the exported graph`)
    return operation
  }

  find(node: Node): Operation | undefined {
    return this.#known.get(sourceOf(node))
  }

  /** @throws where the nodes are no counterparts of each other */
  #checkInputs(nodes: readonly Node[], places: readonly ReadonlyMap<Node, number>[]): void {
    const [first, ...others] = nodes.map((node, i) =>
      [node.def.name, node.dtype, node.shape.length, ...inputsOf(node).map((x) => places[i]!.get(x))].join(),
    )
    if (others.some((other) => other !== first)) throw this.differs(elementAt(nodes, 0).def.name, 'the kind')
  }

  /** @param title what messages call it */
  #add(nodes: readonly Node[], title: () => string): void {
    const node = elementAt(nodes, 0)
    if (this.#known.has(node)) return
    const { name } = node.def
    const { dtype } = node
    const isLeaf = node.storage !== null
    if (isLeaf) this.#checkConstant(nodes, title)
    const shapes = nodes.map(({ shape }) => shape)
    const shape = this.#symbolic(title, 'the shape', shapes) as Dim[]
    const params = isLeaf ? {} : this.#paramsOf(nodes, title)
    const inputs = inputsOf(node).map((input) => this.at(input))
    const operation: Operation = { name: isLeaf ? 'data' : name, dtype, shape, params, inputs, nodes }
    this.#known.set(node, isLiteral(node) && !isLeaf && shape.length > 0 ? broadcastNumber(operation) : operation)
    for (const input of inputs) this.#addReader(input, operation)
  }

  #addReader(operation: Operation, reader: Operation): void {
    const known = this.#readers.get(operation)
    if (known === undefined) this.#readers.set(operation, [reader])
    else known.push(reader)
  }

  /** The operations of which it is an input, once for each time. */
  readersOf = (operation: Operation): readonly Operation[] => this.#readers.get(operation) ?? []

  #checkConstant(nodes: readonly Node[], title: () => string): void {
    const [first, ...others] = nodes.map(({ storage }) => storage?.array)
    const isSame = (other: typeof first) =>
      other === first || (other?.length === first?.length && other?.every((x, i) => Object.is(x, first?.[i])))
    if (!others.every(isSame)) throw this.differs(title(), 'the content')
  }

  #paramsOf(nodes: readonly Node[], title: () => string): Params {
    const { params } = elementAt(nodes, 0)
    const names = Object.keys(params ?? {}).filter((name) => name !== 'body')
    return Object.fromEntries(
      names.map((name) => [
        name,
        this.#symbolic(
          title,
          `the ${name}`,
          nodes.map((other) => other.params![name]!),
        ),
      ]),
    )
  }

  #symbolic(title: () => string, what: string, values: readonly ParamValue[]): Symbolic<ParamValue> {
    const [first] = values
    if (typeof first === 'number') {
      const dim = dimOf(values as number[], this.batches)
      if (dim === undefined) throw this.differs(title(), what)
      return dim
    }
    if (Array.isArray(first)) {
      const lists = values as readonly (readonly ParamValue[])[]
      if (lists.some(({ length }) => length !== first.length)) throw this.differs(title(), what)
      return first.map((_, i) =>
        this.#symbolic(
          title,
          what,
          lists.map((list) => list[i]!),
        ),
      ) as never
    }
    if (values.some((value) => value !== first)) throw this.differs(title(), what)
    return first as string | boolean
  }

  /** The error for what depends on the batch in a way that the exported graph has no form for. */
  differs(name: string, what: string): Error {
    return new RangeError(
      `${expectation(this.op, 'a graph that is the same for every size of the batch')}, but ${what} of ${name} depends on it in a way that is not expressed in ONNX: pass { dynamicBatch: false }`,
    )
  }

  /** A number that has to be the same for every size of the batch. */
  fixed(name: string, what: string, dim: Dim): number {
    if (typeof dim !== 'number') throw this.differs(name, what)
    return dim
  }
}

/** A number of a shape as a scalar that is broadcast, as it is in ONNX. */
function broadcastNumber(number: Operation): Operation {
  const { shape } = number
  return { ...number, name: 'broadcastTo', params: { shape }, inputs: [{ ...number, shape: [] }] }
}

/** What was broadcast to an operand. */
export function beforeBroadcast(operation: Operation): Operation {
  let source = operation
  while (source.name === 'broadcastTo') source = elementAt(source.inputs, 0)
  return source
}
