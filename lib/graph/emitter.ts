/**
 * What an operation's `lower` works with: it reads operands as views and emits instructions. A view is how movement
 * operations cost nothing: transpose, reshape, broadcast and slice only change it, until an instruction needs its
 * operand dense and a strided copy makes it so.
 */
import { type DType, scalarArray, type TypedArray } from '../base/dtype.ts'
import { InternalError } from '../base/errors.ts'
import { elementAt, mapTuple, zipWith } from '../base/lists.ts'
import { denseStrides, extentAt, type Shape, sizeOf } from '../base/shape.ts'
import { addValue, type Draft, instruction } from '../program/draft.ts'
import type { InstructionParams, Opcode } from '../program/instructions.ts'
import type { MicroInstruction } from '../program/micro-ops.ts'
import { valueAt } from '../program/program.ts'
import type { Node, TensorType } from './node.ts'

/** Element i… of the view is element offset + Σ i·stride of the value. */
export interface View {
  readonly value: number
  readonly dtype: DType
  readonly shape: Shape
  readonly offset: number
  readonly strides: readonly number[]
}

/** Whether elements lie one after the other, whatever the strides of axes of extent 1. */
export function isContiguous({ shape, strides }: View): boolean {
  let stride = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const extent = extentAt(shape, axis)
    if (extent !== 1 && strides[axis] !== stride) return false
    stride *= extent
  }
  return true
}

/** A run of axes of a view that lie one after the other in memory, counted as one. */
interface Run {
  readonly extent: number
  /** Between its elements. */
  readonly stride: number
}

/** The axes of a view, without those of extent 1, joined where the inner one spans the outer one's stride. */
function contiguousRuns({ shape, strides }: View): Run[] {
  const runs: Run[] = []
  zipWith(shape, strides, (extent, stride) => {
    if (extent === 1) return
    const outer = runs.at(-1)
    if (outer !== undefined && outer.stride === stride * extent)
      runs[runs.length - 1] = { extent: outer.extent * extent, stride }
    else runs.push({ extent, stride })
  })
  return runs
}

/** The view under another shape of the same size, where no element has to move; else null. */
export function reshapeView(view: View, shape: Shape): View | null {
  if (sizeOf(shape) === 0) return { ...view, shape, offset: 0, strides: denseStrides(shape) }
  const runs = contiguousRuns(view)
  const strides: number[] = []
  let run = runs.pop()
  let covered = 1
  for (const extent of shape.toReversed()) {
    if (extent === 1) {
      strides.push(0)
      continue
    }
    if (run === undefined || run.extent % (covered * extent) !== 0) return null
    strides.push(run.stride * covered)
    covered *= extent
    if (covered === run.extent) {
      run = runs.pop()
      covered = 1
    }
  }
  return { ...view, shape, strides: strides.reverse() }
}

/** By the number of operands, the registers that hold them. */
const registers: readonly (readonly number[])[] = [[], [0], [0, 1], [0, 1, 2]]

export class Emitter {
  private readonly views = new Map<Node, View>()
  private readonly outputs = new Map<Node, readonly number[]>()
  private readonly wanted = new Map<Node, Map<string, readonly number[]>>()
  private readonly literalValues = new Map<string, number>()
  /** The dense copies of views. */
  private readonly copies = new Map<View, number>()
  /** The outputs of the instructions that several operations share. */
  private readonly shared = new Map<string, readonly number[]>()

  constructor(readonly draft: Draft) {}

  viewOf(node: Node): View {
    const view = this.views.get(node)
    if (view === undefined) throw new InternalError(`${node.def.name} is read before it is lowered`)
    return view
  }

  setView(node: Node, view: View): void {
    this.views.set(node, view)
  }

  /** One output of a node that has several; its view is the first. */
  outputOf(node: Node, index: number): number {
    const output = this.outputs.get(node)?.[index]
    if (output === undefined) throw new InternalError(`no output ${index} of ${node.def.name}`)
    return output
  }

  setOutputs(node: Node, values: readonly number[]): void {
    this.outputs.set(node, values)
  }

  denseView(value: number): View {
    const { dtype, shape } = valueAt(this.draft, value)
    return { value, dtype, shape, offset: 0, strides: denseStrides(shape) }
  }

  /** A scalar as each element of a shape. */
  repeated(value: number, shape: Shape): View {
    const { dtype } = valueAt(this.draft, value)
    return { value, dtype, shape, offset: 0, strides: new Array<number>(shape.length).fill(0) }
  }

  /** The value of a node as one dense operand; a copy where its view is not. */
  dense(node: Node): number {
    return this.denseValue(this.viewOf(node))
  }

  denseValue(view: View): number {
    const whole = sizeOf(valueAt(this.draft, view.value).shape) === sizeOf(view.shape)
    if (whole && view.offset === 0 && isContiguous(view)) return view.value
    const { shape, offset, strides } = view
    const copy = this.copies.get(view) ?? this.emit('copy', [view.value], [view], { shape, offset, strides })[0]
    this.copies.set(view, copy)
    return copy
  }

  /** A scalar that is part of the program. */
  literal(dtype: DType, x: number): number {
    const key = `${dtype} ${Object.is(x, -0) ? '-0' : x}`
    let value = this.literalValues.get(key)
    if (value === undefined) {
      const index = this.draft.literals.push(scalarArray(dtype, x)) - 1
      value = addValue(this.draft, dtype, [], { kind: 'literal', index })
      this.literalValues.set(key, value)
    }
    return value
  }

  /** Numbers that are part of the program. */
  literals(array: TypedArray, { dtype, shape }: TensorType): number {
    if (shape.length === 0) return this.literal(dtype, elementAt(array, 0))
    const index = this.draft.literals.push(array) - 1
    return addValue(this.draft, dtype, shape, { kind: 'literal', index })
  }

  /** Notes that an output of a node that has several, which calls it so, is read. */
  want(node: Node, output: readonly number[]): void {
    const wanted = this.wanted.get(node) ?? new Map<string, readonly number[]>()
    this.wanted.set(node, wanted.set(output.join(), output))
  }

  /** The outputs that are read, each once. */
  wantedOf(node: Node): readonly (readonly number[])[] {
    return [...(this.wanted.get(node)?.values() ?? [])]
  }

  /** Appends an instruction and gives the ids of its outputs. */
  emit<K extends Opcode, const T extends readonly TensorType[]>(
    opcode: K,
    inputs: readonly number[],
    outputs: T,
    params: InstructionParams[K],
  ): { readonly [I in keyof T]: number } {
    const ids = mapTuple(outputs, ({ dtype, shape }) => addValue(this.draft, dtype, shape))
    this.draft.instructions.push(instruction(opcode, inputs, ids, params))
    return ids
  }

  /** `emit`, once for all operations that each give one output of the same instruction. */
  emitShared<K extends Opcode, const T extends readonly TensorType[]>(
    opcode: K,
    inputs: readonly number[],
    outputs: T,
    params: InstructionParams[K],
  ): { readonly [I in keyof T]: number } {
    const key = JSON.stringify([opcode, inputs, outputs.map(({ shape }) => shape), params])
    const known = this.shared.get(key) as { readonly [I in keyof T]: number } | undefined
    const ids = known ?? this.emit(opcode, inputs, outputs, params)
    this.shared.set(key, ids)
    return ids
  }

  /** The instruction that computes a node from its inputs as dense operands. */
  emitNode<K extends Opcode>(opcode: K, node: Node, params: InstructionParams[K]): View {
    const operands = node.inputs.map((x) => this.dense(x))
    return this.denseView(this.emit(opcode, operands, [node], params)[0])
  }

  /** The value once those of `after` are there too; what is computed from it stays apart from what `value` is read for. */
  barrier(value: number, after: readonly number[]): number {
    const { dtype, shape } = valueAt(this.draft, value)
    const output = addValue(this.draft, dtype, shape)
    this.draft.instructions.push({ opcode: 'barrier', inputs: [value, ...after], outputs: [output], params: {} })
    return output
  }

  /** One elementwise step over operands that are views of the shape of the result. */
  elementwise(type: TensorType, operands: readonly View[], step: Omit<MicroInstruction, 'args'>): View {
    const { op, dtype, to } = step
    const args = registers[operands.length]!
    const params = {
      shape: type.shape,
      operands: operands.map(({ offset, strides }) => ({ offset, strides })),
      code: [to === undefined ? { op, dtype, args } : { op, dtype, to, args }],
      results: [operands.length],
    }
    const inputs = operands.map(({ value }) => value)
    return this.denseView(this.emit('elementwise', inputs, [type], params)[0])
  }
}
