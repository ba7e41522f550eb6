/** Loops whose length is not known before, and choices between programs: without gradients. */
import { elementAt, zipWith } from '../../base/lists.ts'
import { maxExtent } from '../../base/shape.ts'
import { type Body, closeBody } from '../body.ts'
import type { Emitter, View } from '../emitter.ts'
import { lowerBodies } from '../lower-body.ts'
import { Node, type OpDef, record, type TensorType } from '../node.ts'
import type { Carry } from './loop.ts'

type WhileParams = { limit: number; constants: number; body: string }
type BranchParams = { constants: number; body: string }

/** The type of what has its outputs elsewhere. */
const nothing: TensorType = { dtype: 'int32', shape: [] }

/** An operation that runs a graph of its own, and has several outputs, which are nodes of their own. */
abstract class ControlOp implements OpDef {
  abstract readonly name: string

  constructor(
    readonly body: Body,
    readonly constants: number,
    readonly outputs: readonly TensorType[],
  ) {}

  infer(): TensorType {
    return nothing
  }

  abstract lower(emitter: Emitter, node: Node): View
}

/** Operands are the constants and the carries as they begin; roots of the body the condition and the next carries. */
export class WhileOp extends ControlOp {
  readonly name = 'whileLoop'

  lower(emitter: Emitter, node: Node): View {
    return lowerWhile(emitter, node)
  }
}

/** Operands are the predicate, the constants and what the functions are given; roots what the first gives, then the other. */
export class BranchOp extends ControlOp {
  readonly name = 'cond'

  lower(emitter: Emitter, node: Node): View {
    return lowerBranch(emitter, node)
  }
}

function lowerWhile(emitter: Emitter, node: Node): View {
  const { body, constants: count, outputs } = node.def as WhileOp
  const [constants, carries] = [body.args.slice(0, count), body.args.slice(count)]
  const [condition, ...nexts] = body.roots as [Node, ...Node[]]
  const { programs, literals } = lowerBodies([
    { constants, sequences: carries, results: [condition] },
    { constants, carries: zipWith(carries, nexts, (arg, next) => ({ arg, next })), results: [] },
  ])
  const operands = node.inputs.map((input) => emitter.dense(input))
  operands.splice(count, 0, ...literals.map((literal) => emitter.literals(literal.array, literal)))
  const { limit } = node.params as WhileParams
  const params = { limit, constants: count + literals.length, condition: programs[0]!, body: programs[1]! }
  emitter.setOutputs(node, emitter.emit('whileLoop', operands, outputs, params))
  return emitter.denseView(emitter.literal('int32', 0))
}

function lowerBranch(emitter: Emitter, node: Node): View {
  const { body, outputs } = node.def as BranchOp
  const constants = body.args
  const { programs, literals } = lowerBodies([
    { constants, results: body.roots.slice(0, outputs.length) },
    { constants, results: body.roots.slice(outputs.length) },
  ])
  const operands = node.inputs.map((input) => emitter.dense(input))
  operands.push(...literals.map((literal) => emitter.literals(literal.array, literal)))
  const params = { ifTrue: programs[0]!, ifFalse: programs[1]! }
  emitter.setOutputs(node, emitter.emit('branch', operands, outputs, params))
  return emitter.denseView(emitter.literal('int32', 0))
}

/** Without a derivative: a gradient that asks for one throws, in the name of the operation. */
const outputOpOf = (name: string): OpDef<{ output: number }, readonly [of: Node]> => ({
  name,
  infer: ([of], { output }) => elementAt((of.def as ControlOp).outputs, output),
  lower: (emitter, { inputs: [of], params: { output } }) => emitter.denseView(emitter.outputOf(of, output)),
})

const whileOutputOp = outputOpOf('whileLoop')
const branchOutputOp = outputOpOf('cond')

function recordControl(
  def: ControlOp,
  inputs: readonly Node[],
  params: WhileParams | BranchParams,
  outputOp: typeof whileOutputOp,
): Node[] {
  const isTracked = inputs.some(({ tracked }) => tracked)
  const node = new Node(def as OpDef, inputs, params, nothing, isTracked)
  node.held = Math.max(0, ...inputs.map(({ held }) => held))
  return def.outputs.map((_, output) => record(outputOp, [node], { output }))
}

/** The carries once the condition, a bool of no axes, is false, or after `limit` steps. */
export function whileLoop(carries: readonly Carry[], condition: Node, limit = maxExtent): Node[] {
  const args = carries.map(({ arg }) => arg)
  const { body, captured } = closeBody(args, [condition, ...carries.map(({ next }) => next)])
  const inputs = [...captured, ...carries.map(({ initial }) => initial)]
  const params = { limit, constants: captured.length, body: body.key }
  return recordControl(new WhileOp(body, captured.length, args), inputs, params, whileOutputOp)
}

/**
 * What `ifTrue` is where the predicate, a bool of one element, is true, and else `ifFalse`, of the same types; what was
 * recorded by nodes from id `since` on is computed for the one that is chosen alone.
 */
export function branch(
  predicate: Node,
  operands: readonly { arg: Node; value: Node }[],
  [ifTrue, ifFalse]: readonly [readonly Node[], readonly Node[]],
  since: number,
): Node[] {
  const args = operands.map(({ arg }) => arg)
  const { body, captured } = closeBody(args, [...ifTrue, ...ifFalse], since)
  const inputs = [predicate, ...captured, ...operands.map(({ value }) => value)]
  const params = { constants: captured.length, body: body.key }
  return recordControl(new BranchOp(body, captured.length, ifTrue), inputs, params, branchOutputOp)
}
