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
function definitions<D>(operation: Operation<unknown>, Def: abstract new (...args: never[]) => D): D[] {
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

/** The outputs of an operation that are read, each once, by the operations that read them. */
function readOutputs(scope: Scope, operation: Operation<unknown>): Map<string, Operation> {
  const readers = scope.graph.readersOf(operation as Operation)
  return new Map(readers.map((reader) => [JSON.stringify(reader.params.output), reader]))
}

function loop(scope: Scope, operation: Operation<unknown>, operands: readonly string[]): string {
  const { builder, graph } = scope
  const defs = definitions(operation, LoopOp)
  const def = elementAt(defs, 0)
  const { constants, carries } = def
  // The outputs that are no carries, by what each has stacked.
  const stacked = [...readOutputs(scope, operation)].filter(([, { params }]) => !def.isCarry(params.output as number[]))
  const roots = graph.merge(
    defs.map((each, recording) => [
      ...each.body.args,
      ...each.nexts,
      ...stacked.map(([, reader]) => each.nodeAt(outputOfRecording(reader, recording))),
    ]),
  )
  const args = roots.slice(0, def.body.args.length)
  const outputs = roots.slice(args.length)
  const keys = [...Array.from({ length: carries }, (_, i) => JSON.stringify([i])), ...stacked.map(([key]) => key)]
  if (def.options.length === 0) {
    const nothing = stacked.map(([, { shape, dtype }]) =>
      builder.node('Expand', [builder.scalar(0, dtype), builder.dims(shape)]),
    )
    const names = [...operands.slice(constants, constants + carries), ...nothing]
    scope.setOutputs(operation, names, keys)
    return names[0] ?? ''
  }
  const bodyScope = scope.inner()
  args.slice(0, constants).forEach((arg, i) => {
    bodyScope.bind(arg, elementAt(operands, i))
  })
  const states = freshFor(builder, 'state', args.slice(constants, constants + carries))
  const parts = freshFor(builder, 'part', args.slice(constants + carries))
  const sequences = operands.slice(constants + carries)
  const counter = sequences.length > 0 ? [] : [builder.names.fresh('step')]
  const written = writeBody(bodyScope, { name: 'step', inputs: [...states, ...parts], outputs })
  // A Scan has a sequence, if only to say how many steps there are.
  if (counter.length > 0) {
    const { length } = def.options
    sequences.push(builder.constant('uint8', [length], new Uint8Array(length)))
    written.input.push(...counter.map((name) => builder.value(name, 'uint8', [])))
  }
  const { reverse } = def.options
  const direction = (count: number) => ints(new Array<number>(count).fill(reverse ? 1 : 0))
  const names = builder.several(
    'Scan',
    [...operands.slice(constants, constants + carries), ...sequences],
    carries + stacked.length,
    {
      body: body(written),
      num_scan_inputs: int(sequences.length),
      scan_input_directions: direction(sequences.length),
      ...(stacked.length > 0 ? { scan_output_directions: direction(stacked.length) } : {}),
    },
  )
  scope.setOutputs(operation, names, keys)
  return elementAt(names, 0)
}

const outputOfRecording = (reader: Operation, recording: number): number[] =>
  (elementAt(reader.nodes, recording).params as { output: number[] }).output

function whileLoop(scope: Scope, operation: Operation<unknown>, operands: readonly string[]): string {
  const { builder, graph } = scope
  const defs = definitions(operation, WhileOp)
  const { constants, body: closed } = elementAt(defs, 0)
  const roots = graph.merge(defs.map((def) => [...def.body.args, ...def.body.roots]))
  const args = roots.slice(0, closed.args.length)
  const [condition, ...nexts] = roots.slice(args.length) as [Operation, ...Operation[]]
  const carries = args.slice(constants)
  const initial = operands.slice(constants)
  const bodyScope = scope.inner()
  args.slice(0, constants).forEach((arg, i) => {
    bodyScope.bind(arg, elementAt(operands, i))
  })
  /** The condition of some carries, written where they are. */
  const conditionOf = (values: readonly string[]): string => {
    const of = bodyScope.inner()
    carries.forEach((arg, i) => {
      of.bind(arg, elementAt(values, i))
    })
    return elementAt(of.write([condition]), 0)
  }
  const states = freshFor(builder, 'state', carries)
  const [step, goesOn] = [builder.names.fresh('step'), builder.names.fresh('condition')]
  const { result, nodes } = builder.inBody(() => {
    const inner = bodyScope.inner()
    for (const { name, of } of states) inner.bind(of, name)
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

function cond(scope: Scope, operation: Operation<unknown>, operands: readonly string[]): string {
  const { builder, graph } = scope
  const defs = definitions(operation, BranchOp)
  const def = elementAt(defs, 0)
  const roots = graph.merge(defs.map(({ body: closed }) => [...closed.args, ...closed.roots]))
  const args = roots.slice(0, def.body.args.length)
  const values = roots.slice(args.length)
  const count = def.outputs.length
  const [predicate, ...given] = operands
  const bodyScope = scope.inner()
  args.forEach((arg, i) => {
    bodyScope.bind(arg, elementAt(given, i))
  })
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
