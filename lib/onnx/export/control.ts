/** Loops and branches: Scan, Loop and If, whose bodies are written like any graph. */
import { elementAt, zipWith } from '../../base/lists.ts'
import { maxExtent } from '../../base/shape.ts'
import { BranchOp, WhileOp } from '../../graph/ops/control.ts'
import { LoopOp } from '../../graph/ops/loop.ts'
import { type Builder, body, int, ints } from './builder.ts'
import type { Operation } from './graph.ts'
import type { GraphMessage } from './messages.ts'
import type { ControlName, Rows } from './row.ts'
import type { Scope } from './scope.ts'

/** What an operation of several outputs is in each recording. */
function definitions<D>(operation: Operation, Def: abstract new (...args: never[]) => D): D[] {
  return operation.nodes.map(({ def }) => def as unknown as D).filter((def) => def instanceof Def)
}

interface BodyParts {
  readonly name: string
  readonly inputs: readonly { readonly name: string; readonly of: Operation }[]
  readonly outputs: readonly Operation[]
}

/** A graph of its own whose outputs are all nodes of it, as runtimes ask for. */
function writeBody(scope: Scope, { name, inputs, outputs }: BodyParts): GraphMessage {
  const { builder } = scope
  const { result, nodes } = builder.inBody(() => {
    const inner = scope.inner()
    for (const input of inputs) inner.bind(input.of, input.name)
    return inner.write(outputs).map((value) => builder.node('Identity', [value]))
  })
  return {
    ...{ name, node: nodes, initializer: [] },
    input: inputs.map((input) => builder.value(input.name, input.of.dtype, input.of.shape)),
    output: zipWith(result, outputs, (value, { dtype, shape }) => builder.value(value, dtype, shape)),
  }
}

const freshFor = (builder: Builder, stem: string, operations: readonly Operation[]) =>
  operations.map((of) => ({ name: builder.names.fresh(stem), of }))

/** A body's scope in which its first arguments are operands of the node. */
function scopeWith(scope: Scope, args: readonly Operation[], operands: readonly string[]): Scope {
  const inner = scope.inner()
  args.forEach((arg, i) => {
    inner.bind(arg, elementAt(operands, i))
  })
  return inner
}

/** An output of a loop, as the operations that read it call it. */
type LoopOutput = readonly number[]

const outputIn = (reader: Operation, recording: number): LoopOutput =>
  (elementAt(reader.nodes, recording).params as { output: LoopOutput }).output

function loop(scope: Scope, operation: Operation, operands: readonly string[]): string {
  const defs = definitions(operation, LoopOp)
  const def = elementAt(defs, 0)
  // One operation for each output that is read and no carry.
  const readers = new Map(
    scope.graph.readersOf(operation).map((reader) => [JSON.stringify(reader.params.output), reader]),
  )
  const stacked = [...readers].filter(([, reader]) => !def.isCarry(outputIn(reader, 0)))
  const keys = [...def.carryArgs.map((_, i) => JSON.stringify([i])), ...stacked.map(([key]) => key)]
  const outputs = stacked.map(([, reader]) => reader)
  const names = def.options.length === 0 ? noSteps(scope, def, outputs, operands) : scan(scope, defs, outputs, operands)
  scope.setOutputs(operation, names, keys)
  return elementAt(names, 0)
}

/** What a loop gives that takes no step: the carries as they are, and nothing stacked. */
function noSteps(
  { builder }: Scope,
  def: LoopOp,
  outputs: readonly Operation[],
  operands: readonly string[],
): string[] {
  const initial = operands.slice(def.constants, def.constants + def.carries)
  const nothing = ({ dtype, shape }: Operation) =>
    builder.node('Expand', [builder.scalar(0, dtype), builder.dims(shape)])
  return [...initial, ...outputs.map(nothing)]
}

function scan(
  scope: Scope,
  defs: readonly LoopOp[],
  stacked: readonly Operation[],
  operands: readonly string[],
): string[] {
  const { builder, graph } = scope
  const { constants, carries, body: closed, options } = elementAt(defs, 0)
  const roots = graph.merge(
    defs.map((def, recording) => [
      ...def.body.args,
      ...def.nexts,
      ...stacked.map((reader) => def.nodeAt(outputIn(reader, recording))),
    ]),
  )
  const args = roots.slice(0, closed.args.length)
  const states = freshFor(builder, 'state', args.slice(constants, constants + carries))
  const parts = freshFor(builder, 'part', args.slice(constants + carries))
  const written = writeBody(scopeWith(scope, args.slice(0, constants), operands), {
    ...{ name: 'step', inputs: [...states, ...parts], outputs: roots.slice(args.length) },
  })
  const given = operands.slice(constants)
  // A Scan has a sequence, if only to say how many steps there are.
  if (parts.length === 0) {
    given.push(builder.constant('uint8', [options.length], new Uint8Array(options.length)))
    written.input.push(builder.value(builder.names.fresh('step'), 'uint8', []))
  }
  const directions = (count: number) => ints(new Array<number>(count).fill(options.reverse ? 1 : 0))
  return builder.several('Scan', given, carries + stacked.length, {
    body: body(written),
    num_scan_inputs: int(given.length - carries),
    scan_input_directions: directions(given.length - carries),
    ...(stacked.length > 0 ? { scan_output_directions: directions(stacked.length) } : {}),
  })
}

function whileLoop(scope: Scope, operation: Operation, operands: readonly string[]): string {
  const { builder, graph } = scope
  const defs = definitions(operation, WhileOp)
  const { constants, body: closed } = elementAt(defs, 0)
  const roots = graph.merge(defs.map((def) => [...def.body.args, ...def.body.roots]))
  const args = roots.slice(0, closed.args.length)
  const [condition, ...nexts] = roots.slice(args.length) as [Operation, ...Operation[]]
  const carries = args.slice(constants)
  const initial = operands.slice(constants)
  const bodyScope = scopeWith(scope, args.slice(0, constants), operands)
  /** The condition of some carries, written where they are. */
  const conditionOf = (values: readonly string[]): string =>
    elementAt(scopeWith(bodyScope, carries, values).write([condition]), 0)
  const states = freshFor(builder, 'state', carries)
  const [step, goesOn] = [builder.names.fresh('step'), builder.names.fresh('condition')]
  const { result, nodes } = builder.inBody(() => {
    const inner = scopeWith(
      bodyScope,
      carries,
      states.map(({ name }) => name),
    )
    const next = inner.write(nexts).map((value) => builder.node('Identity', [value]))
    return [builder.node('Identity', [conditionOf(next)]), ...next]
  })
  const { limit } = operation.params as { limit: number }
  const count = graph.fixed('whileLoop', 'the maxSteps', limit)
  const most = count === maxExtent ? '' : builder.constant('int64', [], BigInt64Array.of(BigInt(count)))
  const first = conditionOf(initial)
  const names = builder.several('Loop', [most, first, ...initial], carries.length, {
    body: body({
      ...{ name: 'step', node: nodes, initializer: [] },
      input: [
        builder.value(step, 'int64', []),
        builder.value(goesOn, 'bool', []),
        ...states.map(({ name, of }) => builder.value(name, of.dtype, of.shape)),
      ],
      output: [
        builder.value(elementAt(result, 0), 'bool', []),
        ...zipWith(result.slice(1), carries, (value, { dtype, shape }) => builder.value(value, dtype, shape)),
      ],
    }),
  })
  scope.setOutputs(operation, names)
  return elementAt(names, 0)
}

function cond(scope: Scope, operation: Operation, operands: readonly string[]): string {
  const { builder, graph } = scope
  const defs = definitions(operation, BranchOp)
  const def = elementAt(defs, 0)
  const roots = graph.merge(defs.map(({ body: closed }) => [...closed.args, ...closed.roots]))
  const args = roots.slice(0, def.body.args.length)
  const values = roots.slice(args.length)
  const count = def.outputs.length
  const [predicate, ...given] = operands
  const bodyScope = scopeWith(scope, args, given)
  const branch = (name: string, outputs: readonly Operation[]) =>
    body(writeBody(bodyScope, { name, inputs: [], outputs }))
  const names = builder.several('If', [predicate!], count, {
    then_branch: branch('ifTrue', values.slice(0, count)),
    else_branch: branch('ifFalse', values.slice(count)),
  })
  scope.setOutputs(operation, names)
  return elementAt(names, 0)
}

const outputOf = (scope: Scope, { inputs, params }: Operation): string => {
  const of = elementAt(inputs, 0)
  return scope.outputOf(of, Array.isArray(params.output) ? JSON.stringify(params.output) : String(params.output))
}

export const controlRows: Rows<ControlName> = {
  loop: (scope, operation, ...operands) => loop(scope, operation, operands),
  loopOutput: outputOf,
  // The outputs of the next two have their names.
  whileLoop: (scope, operation, ...operands) =>
    operation.nodes[0]?.def instanceof WhileOp ? whileLoop(scope, operation, operands) : outputOf(scope, operation),
  cond: (scope, operation, ...operands) =>
    operation.nodes[0]?.def instanceof BranchOp ? cond(scope, operation, operands) : outputOf(scope, operation),
}
