/** The one node type of the graph, and walks over it. */
import type { DType, TypedArray } from '../base/dtype.ts'
import { InternalError } from '../base/errors.ts'
import { checkShape, type Shape } from '../base/shape.ts'
import type { Emitter, View } from './emitter.ts'
import { noteOrigin } from './origin.ts'

export interface TensorType {
  readonly dtype: DType
  readonly shape: Shape
}

/** Where the value of an evaluated node lives. */
export interface Storage {
  readonly array: TypedArray
  /** Settles once the run that writes the array has ended. */
  pending: Promise<unknown> | null
  /** How many runs have written over the value that the array was made with. */
  writes: number
}

export const newStorage = (array: TypedArray): Storage => ({ array, pending: null, writes: 0 })

export type ParamValue = number | string | boolean | readonly ParamValue[]
export type Params = Readonly<Record<string, ParamValue>> | null

/** A node with any parameters and inputs: `Node`, which cannot be the default of its own parameters. */
export interface AnyNode extends Node<Params, readonly AnyNode[]> {}

export type Unary = readonly [Node]
export type Binary = readonly [Node, Node]
export type Ternary = readonly [Node, Node, Node]

/** A cotangent for each of some inputs; null where there is none. */
export type Cotangents<I extends readonly Node[]> = { readonly [K in keyof I]: Node | null }

/** What an operation of inputs I is: the type of its result, its derivative, and its instructions. */
export interface OpDef<P extends Params = Params, I extends readonly AnyNode[] = readonly AnyNode[]> {
  readonly name: string
  /** Checks the inputs and gives the type of the result. */
  infer(inputs: I, params: P): TensorType
  /**
   * The cotangent of each input from that of the output; those that are not needed may be null. Absent: no gradient
   * exists.
   */
  vjp?(cotangent: Node, node: Node<P, I>, isNeeded: readonly boolean[]): Cotangents<I>
  /** What two cotangents are together that nodes of this operation are, where that is not their sum. */
  join?(a: Node<P, I>, b: Node): Node
  /** Called for all nodes that are to be lowered, before the first of them is. */
  announce?(emitter: Emitter, node: Node<P, I>): void
  /** Throws where the gradient with respect to one of xs needs a history that the node does not have any more. */
  checkHistory?(node: Node<P, I>, xs: readonly Node[]): void
  /** Emits instructions, or gives a view of an operand. */
  lower(emitter: Emitter, node: Node<P, I>): View
}

let created = 0

/** How many nodes there were so far: those that are recorded from now on have no smaller id. */
export const nodeCount = (): number => created

/** A recorded operation, or a leaf. Its type is fixed; it lets go of its inputs once evaluated, unless tracked. */
export class Node<P extends Params = Params, I extends readonly AnyNode[] = readonly AnyNode[]> {
  readonly id = created++
  readonly dtype: DType
  readonly shape: Shape
  storage: Storage | null = null
  /** The last walk that met the node, and its place in the order of the last one that numbered it: see `topologicalOrder`. */
  walk = 0
  position = 0
  /** Bytes, roughly, that the longest chain of compiled calls in its history keeps; see `ops/call.ts`. */
  held = 0
  /** See `hashOf` of structure.ts, which makes it when it is first asked for. */
  hashed: number | undefined = undefined

  constructor(
    readonly def: OpDef<P, I>,
    public inputs: I,
    readonly params: P,
    type: TensorType,
    /** Descends from a variable or a watched value, so that gradients may be asked for after evaluation. */
    readonly tracked: boolean,
  ) {
    this.dtype = type.dtype
    this.shape = type.shape
    noteOrigin(this as Node)
  }
}

/**
 * Where the value of a node is that has one.
 * @throws InternalError where it has none yet
 */
export function storageOf({ def, storage }: Node): Storage {
  if (storage === null) throw new InternalError(`${def.name} has no value yet`)
  return storage
}

const isDifferentiable = (type: TensorType): boolean => type.dtype === 'float32' || type.dtype === 'float64'

/** Records an operation on nodes. */
export function record<P extends Params, I extends readonly Node[]>(
  def: OpDef<P, I>,
  inputs: NoInfer<I>,
  params: P,
): Node {
  const type = def.infer(inputs, params)
  checkShape(def.name, type.shape)
  let tracked = false
  let held = 0
  for (const input of inputs) {
    if (input.tracked) tracked = true
    if (input.held > held) held = input.held
  }
  const node = new Node(def, inputs, params, type, tracked && isDifferentiable(type))
  if (node.tracked) node.held = held
  return node
}

/** What a walk takes for the inputs of a node. */
type InputsOf = (node: Node) => readonly Node[]

const none: readonly Node[] = []

/** The inputs as an evaluation sees them: a node that has its value is a leaf. */
export const pendingInputs: InputsOf = (node) => (node.storage === null ? node.inputs : none)

/** The inputs as gradients see them: the whole recorded history. */
export const allInputs: InputsOf = (node) => node.inputs

let walks = 0

/** Changes when any walk numbers nodes anew. */
export const lastWalk = (): number => walks

/**
 * Every node that the roots depend on, each after its inputs. Iterative: a graph may be deeper than the call stack.
 * What it has seen it marks in the nodes, as a set of them would cost more than all the rest.
 */
export function topologicalOrder(roots: readonly Node[], inputsOf: InputsOf): Node[] {
  const walk = ++walks
  const order: Node[] = []
  // The nodes from the root to the present one, and how many inputs of each the walk has met.
  const path: Node[] = []
  const metBefore: number[] = []
  for (const root of roots) {
    if (root.walk === walk) continue
    root.walk = walk
    let node: Node | undefined = root
    let met = 0
    while (node !== undefined) {
      const input: Node | undefined = inputsOf(node)[met]
      if (input === undefined) {
        order.push(node)
        node = path.pop()
        met = metBefore.pop() ?? 0
        continue
      }
      met++
      if (input.walk === walk) continue
      input.walk = walk
      path.push(node)
      metBefore.push(met)
      node = input
      met = 0
    }
  }
  return order
}

export function numberNodes(order: readonly Node[]): void {
  let position = 0
  for (const node of order) node.position = position++
}

/** The same, with each node's place in the order as its `position`, until the next call. */
export function numberedOrder(roots: readonly Node[], inputsOf: InputsOf): Node[] {
  const order = topologicalOrder(roots, inputsOf)
  numberNodes(order)
  return order
}

function formatParams(params: Params): string {
  if (params === null) return ''
  return ` { ${Object.entries(params)
    .map(([key, value]) => `${key}: ${Array.isArray(value) ? `[${value.join(', ')}]` : value}`)
    .join(', ')} }`
}

/** The graph under some nodes as text, one node a line in the order of evaluation. */
export function formatGraph(roots: readonly Node[]): string {
  const order = topologicalOrder(roots, allInputs)
  const names = new Map(order.map((node, i) => [node, `%${i}`]))
  return order
    .map((node) => {
      const inputs = node.inputs.map((input) => ` ${names.get(input)}`).join('')
      return `${names.get(node)}: ${node.dtype}[${node.shape.join(',')}] = ${node.def.name}${inputs}${formatParams(node.params)}`
    })
    .join('\n')
}
