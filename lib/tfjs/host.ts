/** Integers that shapes are computed of: they are known while a model is recorded, as tensors are not. */
import { tensor } from '../tensor/creation.ts'
import { Tensor } from '../tensor/tensor.ts'
import type { GraphNode } from './graph-nodes.ts'

/** An array whose numbers are known. */
export class HostArray {
  constructor(
    readonly shape: readonly number[],
    readonly values: readonly number[],
  ) {}
}

export type GraphValue = Tensor | HostArray

/** A shape of so many extents as an array. */
export const hostVector = (values: readonly number[]): HostArray => new HostArray([values.length], values)

export const toTensor = (value: GraphValue): Tensor =>
  value instanceof Tensor ? value : tensor([...value.values], { shape: value.shape, dtype: 'int32' })

type HostOp = (node: GraphNode, inputs: readonly HostArray[]) => HostArray

/** Element by element, where one has one element or both have as many. */
const elementwise =
  (apply: (a: number, b: number) => number): HostOp =>
  (node, [a, b]) => {
    const [x, y] = [a!, b!]
    const long = x.values.length >= y.values.length ? x : y
    if (x.values.length !== y.values.length && x.values.length !== 1 && y.values.length !== 1)
      node.fail('operands of one length', `${x.values.length} and ${y.values.length}`)
    const at = (of: HostArray, i: number) => of.values[of.values.length === 1 ? 0 : i]!
    return new HostArray(
      long.shape,
      long.values.map((_, i) => apply(at(x, i), at(y, i))),
    )
  }

const sameValues =
  (shape: (x: HostArray) => readonly number[]): HostOp =>
  (_, [x]) =>
    new HostArray(shape(x!), x!.values)

const vector = (values: readonly number[]): HostArray => hostVector(values)

/** What is computed of integers alone. Anything else makes tensors of them. */
export const hostOps: Readonly<Record<string, HostOp>> = {
  Identity: sameValues((x) => x.shape),
  Cast: sameValues((x) => x.shape),
  Squeeze: (node, [x]) => (x!.values.length === 1 ? new HostArray([], x!.values) : node.fail('one element', x!.shape)),
  ExpandDims: sameValues(() => [1]),
  Reshape: (_, [x, shape]) => new HostArray(shape!.values.includes(-1) ? [x!.values.length] : shape!.values, x!.values),
  Pack: (_, parts) => vector(parts.flatMap(({ values }) => values)),
  ConcatV2: (_, parts) => vector(parts.slice(0, -1).flatMap(({ values }) => values)),
  GatherV2(node, [x, indices]) {
    const picked = indices!.values.map((i) => x!.values.at(i) ?? node.fail('indices within the shape', i))
    return new HostArray(indices!.shape, picked)
  },
  StridedSlice(node, [x, begin, end, step]) {
    const {
      begin: from,
      end: to,
      step: by,
    } = {
      begin: node.integer('begin_mask', 0) & 1 ? 0 : begin!.values[0]!,
      end: node.integer('end_mask', 0) & 1 ? x!.values.length : end!.values[0]!,
      step: step!.values[0]!,
    }
    if (by !== 1) node.fail('a step of 1', by)
    const isOne = (node.integer('shrink_axis_mask', 0) & 1) === 1
    if (isOne) return new HostArray([], [x!.values.at(from) ?? node.fail('a place within the shape', from)])
    return vector(x!.values.slice(from, to))
  },
  Prod: (_, [x]) => new HostArray([], [x!.values.reduce((product, value) => product * value, 1)]),
  Sum: (_, [x]) => new HostArray([], [x!.values.reduce((sum, value) => sum + value, 0)]),
  Mul: elementwise((a, b) => a * b),
  Add: elementwise((a, b) => a + b),
  AddV2: elementwise((a, b) => a + b),
  Sub: elementwise((a, b) => a - b),
  Maximum: elementwise(Math.max),
  Minimum: elementwise(Math.min),
  FloorDiv: elementwise((a, b) => Math.floor(a / b)),
}
