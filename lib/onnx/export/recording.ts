/** A model or function as it was recorded for the export: once, or once for each of some sizes of the batch. */
import { expected } from '../../base/errors.ts'
import { isPlainObject } from '../../base/options.ts'
import { leavesOf, mapTree } from '../../base/tree.ts'
import type { Node } from '../../graph/node.ts'
import { placeholder } from '../../graph/ops/leaf.ts'
import { type AnyModule, Module, withMode } from '../../nn/module.ts'
import type { Cell } from '../../tensor/cell.ts'
import { nodeOf, Tensor, wrap } from '../../tensor/tensor.ts'
import { Variable } from '../../tensor/variable.ts'
import { isArgument, recordFunction } from '../../transforms/recording.ts'

/** What is exported: a model, or a function that `compile` takes or gave. */
export type Exportable = AnyModule | ((...args: never[]) => unknown)

export interface ModelRecording {
  /** Of the tensors among the arguments, in their order. */
  readonly inputs: readonly Node[]
  readonly outputs: readonly Node[]
  /** By the leaf that stands for it, each variable that was read. */
  readonly variables: ReadonlyMap<Node, Cell>
  readonly inputPaths: readonly string[]
  readonly outputPaths: readonly string[]
}

/** The arguments of a call: a list is all of them, anything else the only one. */
export const argumentsOf = (examples: unknown): unknown[] => (Array.isArray(examples) ? examples : [examples])

/** Runs it in evaluation mode on placeholders of the types of the arguments. */
export function recordModel(op: string, model: Exportable, args: readonly unknown[]): ModelRecording {
  const parameters = model instanceof Module ? Object.values(model.namedParameters()) : []
  const call = callOf(model)
  let outputs: readonly (readonly [path: string, node: Node])[] = []
  const { leaves, trace } = withMode(model, parameters, false, () =>
    recordFunction(
      (...given: unknown[]) => {
        const result = call(...given)
        outputs = tensorsOf(op, 'output', result, (x): x is Tensor => x instanceof Tensor)
        return result
      },
      [...args],
    ),
  )
  const variables = new Map<Node, Cell>()
  for (const [cell, { leaf, value }] of trace.variables) {
    if (value !== leaf) throw new TypeError(expected(op, 'a function that assigns no variables', nameOf(cell)))
    variables.set(leaf, cell)
  }
  if (outputs.length === 0) throw new TypeError(expected(op, 'a function that gives tensors', 'none'))
  return {
    inputs: leaves,
    outputs: outputs.map(([, node]) => node),
    variables,
    inputPaths: tensorsOf(op, 'input', args.length === 1 ? args[0] : args, isArgument).map(([path]) => path),
    outputPaths: outputs.map(([path]) => path),
  }
}

const nameOf = ({ variable }: Cell): string => `one that assigns ${variable.name ?? String(variable)}`

function callOf(model: Exportable): (...args: unknown[]) => unknown {
  if (model instanceof Module) return (...args) => model.forward(...(args as [never]))
  // A compiled function is recorded by its synchronous call.
  const { sync } = model as { sync?: unknown }
  return (typeof sync === 'function' ? sync : model) as (...args: unknown[]) => unknown
}

/** The tensors in a tree, each with its name: its keys where it is in an object, `input` where it is alone, else `input_0`, `input_1`. */
function tensorsOf(op: string, alone: string, tree: unknown, isTensor: (x: unknown) => x is Tensor) {
  const isNamed = isPlainObject(tree)
  return leavesOf(op, isNamed ? '' : alone, tree).flatMap(([path, leaf]): [path: string, node: Node][] => {
    if (!isTensor(leaf)) return []
    return [[isNamed ? path.slice(1) : path.replaceAll('.', '_'), nodeOf(leaf)]]
  })
}

/** Sizes of the batch by which its part in a graph shows: primes, as other extents seldom are such multiples. */
export const probes = [23, 29, 37] as const

/** The size of the batch of examples: the first extent of the first that has one; undefined where none has. */
export function batchOf(args: readonly unknown[]): number | undefined {
  const tensors: Tensor[] = []
  mapTree('export', args, (x) => isArgument(x) && tensors.push(x))
  return tensors.find(({ ndim }) => ndim > 0)?.shape[0]
}

/** The same arguments with another size of the batch, in every tensor whose first extent it is. They have no data. */
export const withBatch = (args: readonly unknown[], batch: number | undefined, size: number): unknown[] =>
  args.map((arg) =>
    mapTree('export', arg, (x) => {
      if (!(x instanceof Tensor) || x instanceof Variable || x.ndim === 0 || x.shape[0] !== batch) return x
      return wrap(placeholder(x.dtype, x.shape.with(0, size)))
    }),
  )
