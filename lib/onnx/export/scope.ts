/** One graph of the exported model, the outermost or a body, while its operations are written. */
import { allocate } from '../../base/dtype.ts'
import { expected, InternalError } from '../../base/errors.ts'
import { elementAt } from '../../base/lists.ts'
import { elementwiseOps } from '../../graph/ops/elementwise.ts'
import type { Builder } from './builder.ts'
import { broadcastDims, isFixed, sameDims } from './dims.ts'
import { beforeBroadcast, type ExportedGraph, type Operation } from './graph.ts'
import type { ExportName, Write } from './row.ts'
import { rows } from './rows.ts'

/** Written where they are first read, if at all: most operators broadcast by themselves, and literals are constants. */
const late: ReadonlySet<string> = new Set(['broadcastTo', 'literal', 'data'])

/** The error for operations that cannot be written, each with the reason. */
export function unsupported(op: string, reasons: readonly (readonly [name: string, reason: string])[]): TypeError {
  const listed = reasons.map(([name, reason]) => `${name} (${reason})`).join(', ')
  return new TypeError(expected(op, 'operations that ONNX has', listed))
}

export class Scope {
  readonly #names = new Map<Operation, string>()
  readonly #outputs = new Map<Operation<unknown>, ReadonlyMap<string, string>>()
  readonly #parent: Scope | null

  constructor(
    readonly builder: Builder,
    readonly graph: ExportedGraph,
    parent: Scope | null = null,
  ) {
    this.#parent = parent
  }

  /** A body of a node in this graph, which reads what is here too. */
  inner(): Scope {
    return new Scope(this.builder, this.graph, this)
  }

  /** The names of the outputs of an operation of several, each by what the operations that read it call it. */
  setOutputs(
    operation: Operation<unknown>,
    names: readonly string[],
    keys: readonly string[] = names.map((_, i) => String(i)),
  ): void {
    this.#outputs.set(operation, new Map(names.map((name, i) => [elementAt(keys, i), name])))
  }

  outputOf(operation: Operation<unknown>, key: string): string {
    const name = this.#outputs.get(operation)?.get(key) ?? this.#parent?.outputOf(operation, key)
    if (name === undefined) throw new InternalError(`no output ${key} of ${operation.name}`)
    return name
  }

  bind(operation: Operation, name: string): void {
    this.#names.set(operation, name)
  }

  #find(operation: Operation): string | undefined {
    const name = this.#names.get(operation)
    if (name !== undefined || this.#parent === null) return name
    return this.#parent.#find(operation)
  }

  /** Writes what the roots depend on, and gives their names. */
  write(roots: readonly Operation[]): string[] {
    for (const operation of this.#pending(roots)) {
      if (late.has(operation.name) || this.#find(operation) !== undefined) continue
      this.bind(operation, this.#written(operation))
    }
    return roots.map(this.of)
  }

  /** The operations under the roots that are not written yet, each after its inputs. */
  #pending(roots: readonly Operation[]): Operation[] {
    const order: Operation[] = []
    const met = new Set<Operation>()
    const path: [operation: Operation, inputs: readonly Operation[]][] = []
    const enter = (operation: Operation) => {
      if (met.has(operation) || this.#find(operation) !== undefined) return
      met.add(operation)
      path.push([operation, operation.inputs.toReversed()])
    }
    for (const root of roots) {
      enter(root)
      for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
        const [operation, left] = top
        const input = (left as Operation[]).pop()
        if (input !== undefined) enter(input)
        else {
          order.push(operation)
          path.pop()
        }
      }
    }
    return order
  }

  #written(operation: Operation): string {
    const { name, shape, dtype } = operation
    // What has no elements is a constant: runtimes differ in what they do with nothing.
    if (shape.includes(0) && shape.every(isFixed)) return this.builder.constant(dtype, shape, allocate(dtype, 0))
    const row = rows[name as ExportName]
    if ('unsupported' in row) throw unsupported(this.builder.op, [[name, row.unsupported]])
    const isElementwise = Object.hasOwn(elementwiseOps, name)
    const operands = isElementwise ? this.broadcast(operation) : operation.inputs.map(this.of)
    return (row as Write)(this, operation as never, ...operands)
  }

  /** The name of a value; what is written late is written now. */
  of = (operation: Operation): string => {
    const known = this.#find(operation)
    if (known !== undefined) return known
    const name = this.#written(operation)
    this.bind(operation, name)
    return name
  }

  /**
   * Operands for an operator that broadcasts: what was broadcast is given as it was, where the shapes still meet in that of the result.
   */
  broadcast({ inputs, shape }: Operation): string[] {
    const sources = inputs.map(beforeBroadcast)
    const met = broadcastDims(sources.map((source) => source.shape))
    if (met !== undefined && sameDims(met, shape)) return sources.map(this.of)
    return inputs.map(this.of)
  }
}
