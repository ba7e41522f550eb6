/**
 * A loop over the first axis of some sequences as one operation, and its derivative, which is a loop the other way round.
 *
 * After JAX's scan (`lax/control_flow/loops.py`): the step is recorded once. What its derivative reads of the forward steps is
 * stacked over time, which any node of the step may be; what it computes for a constant without a carry is done after the
 * loop, for all steps at once.
 */
import { isFloat } from '../../base/dtype.ts'
import { InternalError } from '../../base/errors.ts'
import { elementAt, zipWith } from '../../base/lists.ts'
import { pullback, type Seed } from '../autograd.ts'
import { argument, type Body, closeBody } from '../body.ts'
import type { Emitter, View } from '../emitter.ts'
import { lowerBody } from '../lower-body.ts'
import { type Cotangents, Node, type OpDef, record, type TensorType, topologicalOrder } from '../node.ts'
import { type AfterLoop, sumAfterLoop } from './after-loop.ts'
import { broadcastToOp, reshapeOp } from './broadcast.ts'
import { add, zerosLike } from './elementwise.ts'
import { replay } from './gradient-rules.ts'
import { isLiteral } from './leaf.ts'
import { isTransposed, movementOps } from './movement.ts'
import { splitOps } from './split.ts'

/** What is carried from step to step. */
export interface Carry {
  /** What stands for it in the step. */
  readonly arg: Node
  readonly initial: Node
  readonly next: Node
}

/** What each step has a part of. */
export interface Sequence {
  readonly arg: Node
  /** Its first axis is that of the steps. */
  readonly whole: Node
}

export interface LoopOptions {
  readonly length: number
  readonly reverse: boolean
  /** Whether the derivative computes the inside of a step again, instead of having it stacked. */
  readonly recompute: boolean
}

interface LoopSpec extends LoopOptions {
  readonly carries: readonly Carry[]
  readonly sequences: readonly Sequence[]
  /** What of each step is stacked over time. */
  readonly outputs: readonly Node[]
}

/** The carries as they end, and the outputs. */
export interface LoopResults {
  readonly finals: readonly Node[]
  readonly outputs: readonly Node[]
}

type LoopParams = { length: number; reverse: boolean; carries: number; constants: number; body: string }

/**
 * An output of a loop: a carry as it ends, by its number; or a node of the step, stacked, by its position after the carries,
 * or, where that is a loop in its turn, this followed by an output of that loop.
 */
type Output = readonly number[]

/** Operands are the constants, the carries as they begin, and the sequences. Outputs are nodes of their own. */
export class LoopOp implements OpDef<LoopParams> {
  readonly name = 'loop'
  /** What outputs of loops inside that nobody had before have stacked. */
  readonly #innerOutputs = new Map<string, Node>()

  constructor(
    readonly options: LoopOptions,
    readonly body: Body,
    readonly constants: number,
    /** The next values of the carries are the first roots. */
    readonly carries: number,
  ) {}

  infer(): TensorType {
    return nothing
  }

  get constantArgs(): readonly Node[] {
    return this.body.args.slice(0, this.constants)
  }

  get carryArgs(): readonly Node[] {
    return this.body.args.slice(this.constants, this.constants + this.carries)
  }

  get sequenceArgs(): readonly Node[] {
    return this.body.args.slice(this.constants + this.carries)
  }

  get nexts(): readonly Node[] {
    return this.body.roots.slice(0, this.carries)
  }

  isCarry(output: Output): boolean {
    return elementAt(output, 0) < this.carries
  }

  typeOf(output: Output): TensorType {
    if (this.isCarry(output)) return elementAt(this.carryArgs, elementAt(output, 0))
    const { dtype, shape } = this.nodeAt(output)
    return { dtype, shape: [this.options.length, ...shape] }
  }

  /** The node of the step that an output has stacked. */
  nodeAt(output: Output): Node {
    const [first = 0, ...inner] = output
    const node = elementAt(this.body.order, first - this.carries)
    if (inner.length === 0) return node
    const key = output.join()
    const known = this.#innerOutputs.get(key) ?? outputOf(node, inner)
    this.#innerOutputs.set(key, known)
    return known
  }

  /** The output that has a node of the step stacked, if there is one. */
  outputOf(node: Node): Output | null {
    const { order } = this.body
    const position = order.indexOf(node)
    if (position >= 0) return [this.carries + position]
    const [inner] = node.inputs
    if (node.def !== (outputOp as OpDef) || inner === undefined || !order.includes(inner)) return null
    return [this.carries + order.indexOf(inner), ...(node.params as { output: Output }).output]
  }

  vjp(cotangent: Node, node: Node<LoopParams>, isNeeded: readonly boolean[]): Cotangents<readonly Node[]> {
    return loopGradient(this, node as Node, cotangentsIn(this, cotangent), isNeeded)
  }

  lower(emitter: Emitter, node: Node<LoopParams>): View {
    return lowerLoop(emitter, node)
  }
}

/** The type of what has its outputs elsewhere: no float, so that nobody takes it for a value to look at. */
const nothing: TensorType = { dtype: 'int32', shape: [] }

/** Shared by all loops, as a lowering is what tells operations apart. */
function lowerLoop(emitter: Emitter, node: Node<LoopParams>): View {
  const def = node.def as LoopOp
  const { length, reverse } = def.options
  const stacked = stackedOf(emitter, node as Node)
  const { program, literals } = lowerBody({
    constants: def.constantArgs,
    sequences: def.sequenceArgs,
    carries: zipWith(def.carryArgs, def.nexts, (arg, next) => ({ arg, next })),
    results: stacked.map((output) => def.nodeAt(output)),
  })
  const operands = node.inputs.map((input) => emitter.dense(input))
  operands.splice(def.constants, 0, ...literals.map((literal) => emitter.literals(literal.array, literal)))
  const outputs = [...def.carryArgs, ...stacked.map((output) => def.typeOf(output))]
  const params = { length, reverse, constants: def.constants + literals.length, body: program }
  emitter.setOutputs(node as Node, emitter.emit('loop', operands, outputs, params))
  return emitter.denseView(emitter.literal('int32', 0))
}

/** The outputs of a loop that are read and no carries. */
const stackedOf = (emitter: Emitter, loop: Node): readonly Output[] =>
  emitter.wantedOf(loop).filter((output) => !(loop.def as LoopOp).isCarry(output))

const outputOp: OpDef<{ output: Output }, readonly [loop: Node]> = {
  name: 'loopOutput',
  infer: ([loop], { output }) => (loop.def as LoopOp).typeOf(output),
  vjp: (ct, { params: { output } }) => [record(cotangentsOp, [ct], { outputs: [output] })],
  announce: (emitter, { inputs: [loop], params: { output } }) => emitter.want(loop, output),
  lower(emitter, { inputs: [loop], params: { output } }) {
    const def = loop.def as LoopOp
    const key = output.join()
    const place = stackedOf(emitter, loop).findIndex((other) => other.join() === key)
    return emitter.denseView(emitter.outputOf(loop, def.isCarry(output) ? elementAt(output, 0) : def.carries + place))
  },
}

const outputOf = (loop: Node, output: Output): Node => record(outputOp, [loop], { output })

// --- Cotangents of an operation of several outputs --------------------------------------------------------------------

type CotangentParams = { outputs: readonly Output[] }

/** The cotangents of some outputs, for autograd to hand on as one. */
const cotangentsOp: OpDef<CotangentParams> = {
  name: 'cotangents',
  infer: () => nothing,
  join: ({ inputs, params: { outputs } }, other) =>
    record(cotangentsOp, [...inputs, ...other.inputs], {
      outputs: [...outputs, ...(other.params as CotangentParams).outputs],
    }),
  lower() {
    throw new InternalError('cotangents of several outputs are no value')
  },
}

interface Given {
  /** The cotangents of carries as they end, by their numbers. */
  readonly finals: ReadonlyMap<number, Node>
  /** Nodes of the step whose stacked values have cotangents, and these. */
  readonly stacked: ReadonlyMap<Node, Node>
}

function cotangentsIn(def: LoopOp, { inputs, params }: Node): Given {
  const [finals, stacked] = [new Map<number, Node>(), new Map<Node, Node>()]
  function give<K>(to: Map<K, Node>, key: K, ct: Node): void {
    const known = to.get(key)
    to.set(key, known === undefined ? ct : add(known, ct))
  }
  zipWith((params as CotangentParams).outputs, inputs, (output, ct) => {
    if (def.isCarry(output)) give(finals, elementAt(output, 0), ct)
    else give(stacked, def.nodeAt(output), ct)
  })
  return { finals, stacked }
}

// --- Recording --------------------------------------------------------------------------------------------------------

export function loop({ carries, sequences, outputs, ...options }: LoopSpec): LoopResults {
  const args = [...carries, ...sequences].map(({ arg }) => arg)
  const nexts = carries.map(({ next }) => next)
  const { body, captured } = closeBody(args, [...nexts, ...outputs])
  const def = new LoopOp(options, body, captured.length, carries.length)
  const inputs = [...captured, ...carries.map(({ initial }) => initial), ...sequences.map(({ whole }) => whole)]
  const { length, reverse } = options
  const params = { length, reverse, carries: carries.length, constants: captured.length, body: body.key }
  const isTracked = inputs.some(({ tracked }) => tracked)
  const node = new Node(def as OpDef, inputs, params, nothing, isTracked)
  node.held = Math.max(0, ...inputs.map(({ held }) => held))
  return {
    finals: carries.map((_, i) => outputOf(node, [i])),
    outputs: body.roots.slice(carries.length).map((root) => stackedOutput(def, node, root)),
  }
}

function stackedOutput(def: LoopOp, node: Node, root: Node): Node {
  const output = def.outputOf(root)
  if (output === null) throw new InternalError('a loop has no such node')
  return outputOf(node, output)
}

// --- Its derivative ---------------------------------------------------------------------------------------------------

function loopGradient(
  def: LoopOp,
  node: Node,
  given: Given,
  isNeeded: readonly boolean[],
): Cotangents<readonly Node[]> {
  const active = activeCarries(def, given)
  const carryCotangents = def.carryArgs.map((arg, i) => (active[i] ? argument(arg) : null))
  const seeds: Seed[] = []
  carryCotangents.forEach((cotangent, i) => {
    if (cotangent !== null) seeds.push({ node: elementAt(def.nexts, i), cotangent })
  })
  const sequences: Sequence[] = []
  for (const [root, whole] of given.stacked) {
    const arg = argument(root)
    seeds.push({ node: root, cotangent: arg })
    sequences.push({ arg, whole })
  }
  const { args } = def.body
  const isWanted = args.map((arg, i) => {
    const isCarry = i >= def.constants && i < def.constants + def.carries
    return isFloat(arg.dtype) && (isCarry ? active[i - def.constants] === true : isNeeded[i] === true)
  })
  const found = pullback(
    seeds,
    args.filter((_, i) => isWanted[i]),
  )
  const read = readForward(def, node, found)
  sequences.push(...read.sequences)
  const gradients = args.map((_, i) => (isWanted[i] ? (found.shift() ?? null) : null))
  const written = gradients.map((gradient) => gradient && replay(gradient, read.copies))
  return backwardLoop(def, node, { given, carryCotangents, sequences, written })
}

/** The carries through which the cotangents reach back: those whose end has one, and those that such a step reads. */
function activeCarries(def: LoopOp, { finals, stacked }: Given): boolean[] {
  const active = def.carryArgs.map(({ dtype }, i) => finals.has(i) && isFloat(dtype))
  for (let before = -1, now = active.filter(Boolean).length; now > before; ) {
    before = now
    const nexts = def.nexts.filter((_, i) => active[i])
    const reached = new Set(topologicalOrder([...stacked.keys(), ...nexts], ({ inputs }) => inputs))
    def.carryArgs.forEach((arg, i) => {
      if (reached.has(arg) && isFloat(arg.dtype)) active[i] = true
    })
    now = active.filter(Boolean).length
  }
  return active
}

interface ForwardValues {
  /** What the derivative reads of the forward steps. */
  readonly sequences: readonly Sequence[]
  /** By node of the forward step, what stands for it in the step of the derivative. */
  readonly copies: Map<Node, Node>
}

const views: readonly unknown[] = [
  reshapeOp,
  broadcastToOp,
  movementOps.permute,
  movementOps.slice,
  splitOps.split,
  splitOps.part,
] satisfies readonly unknown[]

function readForward(def: LoopOp, node: Node, gradients: readonly (Node | null)[]): ForwardValues {
  const { args, order, copies: closed } = def.body
  const forward = new Set(order)
  const sequences: Sequence[] = []
  const copies = new Map<Node, Node>()
  const leaves = new Map<Node, Node>()
  args.forEach((arg, i) => {
    if (i < def.constants) leaves.set(arg, elementAt(node.inputs, i))
  })
  const isVarying = varying(def)
  /** What stands for a node of the forward step; null where that is computed again. */
  const standIn = (original: Node): Node | null => {
    const inner = closed.get(original) ?? original
    const output = forward.has(inner) || inner.def === (outputOp as OpDef) ? def.outputOf(inner) : null
    if (output === null) return null
    const known = leaves.get(inner)
    if (known !== undefined) return known
    const place = args.indexOf(inner)
    const isAgain = place < 0 && (def.options.recompute || !isVarying(inner) || views.includes(inner.def))
    if (isAgain || isLiteral(inner)) return null
    const arg = argument(inner)
    const isSequence = place >= def.constants + def.carries
    sequences.push({ arg, whole: isSequence ? elementAt(node.inputs, place) : outputOf(node, output) })
    leaves.set(inner, arg)
    return arg
  }
  const roots = gradients.filter((gradient) => gradient !== null)
  topologicalOrder(roots, (met) => {
    const other = standIn(met)
    if (other === null) return met.inputs
    copies.set(met, other)
    return []
  })
  return { sequences, copies }
}

/** Whether a node of the step depends on more than constants. */
function varying(def: LoopOp): (node: Node) => boolean {
  const found = new Set<Node>([...def.carryArgs, ...def.sequenceArgs])
  for (const node of def.body.order) if (node.inputs.some((input) => found.has(input))) found.add(node)
  return (node) => found.has(node) || node.inputs.some((input) => found.has(input))
}

interface Backward {
  readonly given: Given
  /** What stands for the cotangents of the carries; null where there are none. */
  readonly carryCotangents: readonly (Node | null)[]
  readonly sequences: readonly Sequence[]
  /** The gradient of each argument in one step, or null. */
  readonly written: readonly (Node | null)[]
}

function backwardLoop(def: LoopOp, node: Node, backward: Backward): Cotangents<readonly Node[]> {
  const { given, carryCotangents, sequences, written } = backward
  const carries: Carry[] = []
  /** By input, how its cotangent follows from the results of the loop. */
  const results: (((done: Done) => Node) | null)[] = node.inputs.map(() => null)
  carryCotangents.forEach((arg, i) => {
    if (arg === null) return
    const place = carries.length
    const initial = given.finals.get(i) ?? zerosLike(arg)
    carries.push({ arg, initial, next: written[def.constants + i] ?? zerosLike(arg) })
    results[def.constants + i] = ({ finals }) => elementAt(finals, place)
  })
  const inside = insideOf([...carries, ...sequences], written)
  const outputs: Node[] = []
  const loopParts = {
    wholes: new Map(sequences.map(({ arg, whole }) => [arg, whole])),
    isInside: (x: Node) => inside.has(x),
    length: def.options.length,
    stack: (x: Node) => outputs.push(x) - 1,
    accumulate(x: Node) {
      const arg = argument(x)
      return carries.push({ arg, initial: zerosLike(arg), next: add(arg, x) }) - 1
    },
  }
  written.forEach((gradient, i) => {
    if (gradient === null || results[i] !== null) return
    if (i < def.constants) results[i] = sumAfterLoop(gradient, isTransposed(elementAt(node.inputs, i)), loopParts)
    else if (i >= def.constants + def.carries) {
      const place = loopParts.stack(gradient)
      results[i] = ({ outputs }) => elementAt(outputs, place)
    }
  })
  const { length, reverse, recompute } = def.options
  const done = loop({ length, reverse: !reverse, recompute, carries, sequences, outputs })
  return results.map((result) => result?.(done) ?? null)
}

type Done = Parameters<AfterLoop>[0]

/** The nodes of a step that depend on what it is given. */
function insideOf(given: readonly { arg: Node }[], roots: readonly (Node | null)[]): Set<Node> {
  const inside = new Set(given.map(({ arg }) => arg))
  const present = roots.filter((root) => root !== null)
  for (const node of topologicalOrder(present, ({ inputs }) => inputs))
    if (node.inputs.some((input) => inside.has(input))) inside.add(node)
  return inside
}

export const loopOps = { loopOutput: outputOp, cotangents: cotangentsOp }
