/** Operators that reduce axes: sums, means, extremes, norms, and where extremes are. */
import { type DType, isFloat } from '../../base/dtype.ts'
import { normalizeAxes, normalizeAxis } from '../../base/shape.ts'
import * as g from '../../operations/index.ts'
import { full } from '../../tensor/creation.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { HostArray } from '../values.ts'
import type { Call } from './call.ts'
import { type Body, type Family, type Result, row } from './row.ts'
import { axesOf } from './shape.ts'

interface Options {
  readonly keepDims: boolean
}

interface Reduction {
  readonly of: (x: Tensor, axes: number[], options: Options) => Tensor
  /** What there is of no elements. */
  readonly empty: number
  /** Of all elements on the host. */
  readonly onHost?: (elements: readonly (number | bigint)[]) => number | bigint
}

/** Axes are an attribute before a version, and an input from then on. */
const reduction =
  ({ of, empty, onHost }: Reduction, axesInputSince: number): Body =>
  (call) => {
    const { attributes } = call
    const value = call.value(0)
    const rank = value.shape.length
    const keepDims = attributes.flag('keepdims', true)
    const given = axesOf(call, axesInputSince)
    const isAll = given === undefined || given.length === 0
    const axes =
      isAll && attributes.flag('noop_with_empty_axes', false)
        ? []
        : normalizeAxes('reduce', isAll ? undefined : given, rank)
    if (value instanceof HostArray && onHost !== undefined && axes.length === rank && value.size > 0) {
      const shape = keepDims ? value.shape.map(() => 1) : []
      return HostArray.of(value.type, shape, [onHost(Array.from(value.data as ArrayLike<number | bigint>))])
    }
    const x = call.tensor(0)
    if (!axes.some((axis) => x.shape[axis] === 0)) return ofDType(x, (y) => of(y, axes, { keepDims }))
    const shape = x.shape.flatMap((extent, axis) => (!axes.includes(axis) ? [extent] : keepDims ? [1] : []))
    return full(shape, nearest(empty, x.dtype), { dtype: x.dtype })
  }

/** What a dtype holds instead of an infinity. */
function nearest(value: number, dtype: DType): number {
  if (isFloat(dtype)) return value
  const [least, most] = dtype === 'int32' ? [-(2 ** 31), 2 ** 31 - 1] : [0, dtype === 'bool' ? 1 : 255]
  return Math.max(least, Math.min(most, value))
}

/** Results are of the dtype of what is reduced. */
function ofDType(x: Tensor, f: (x: Tensor) => Tensor): Tensor {
  const y = f(x)
  return y.dtype === x.dtype ? y : g.cast(y, x.dtype)
}

const floats = (x: Tensor): Tensor => (isFloat(x.dtype) ? x : g.cast(x, 'float32'))

const sum: Reduction = {
  of: (x, axes, options) => g.sum(x, axes, options),
  empty: 0,
  onHost: (elements) => elements.reduce((a, b) => ((a as number) + (b as number)) as number),
}
const product: Reduction = {
  of: (x, axes, options) => g.prod(x, axes, options),
  empty: 1,
  onHost: (elements) => elements.reduce((a, b) => ((a as number) * (b as number)) as number),
}
/** Math.max takes no bigint. */
function extreme<T>(elements: readonly T[], isNearer: (a: T, b: T) => boolean): T {
  return elements.reduce((a, b) => (isNearer(a, b) ? b : a))
}

const greatest: Reduction = {
  of: (x, axes, options) => (x.dtype === 'bool' ? g.any(x, axes, options) : g.max(x, axes, options)),
  empty: -Infinity,
  onHost: (elements) => extreme(elements, (a, b) => b > a),
}
const least: Reduction = {
  of: (x, axes, options) => (x.dtype === 'bool' ? g.all(x, axes, options) : g.min(x, axes, options)),
  empty: Infinity,
  onHost: (elements) => extreme(elements, (a, b) => b < a),
}
const mean: Reduction = { of: (x, axes, options) => g.mean(x, axes, options), empty: Number.NaN }
const l1: Reduction = { of: (x, axes, options) => g.sum(g.abs(x), axes, options), empty: 0 }
const l2: Reduction = { of: (x, axes, options) => g.sqrt(g.sum(g.square(floats(x)), axes, options)), empty: 0 }
const sumSquare: Reduction = { of: (x, axes, options) => g.sum(g.square(x), axes, options), empty: 0 }
const logSum: Reduction = { of: (x, axes, options) => g.log(g.sum(floats(x), axes, options)), empty: -Infinity }
const logSumExp: Reduction = {
  of: (x, axes, options) => (axes.length === 0 ? x : g.logSumExp(floats(x), axes, options)),
  empty: -Infinity,
}

/** Where the extreme is along an axis: the first of several, or the last one. */
const extremePlace =
  (f: (x: Tensor, axis: number, options: Options) => Tensor): Body =>
  (call: Call): Result => {
    const { attributes } = call
    const x = call.tensor(0)
    const axis = normalizeAxis(call.info.operator, attributes.int('axis', 0), x.ndim)
    const options = { keepDims: attributes.flag('keepdims', true) }
    if (!attributes.flag('select_last_index', false)) return call.as('int64', f(x, axis, options))
    return call.as('int64', g.sub(x.shape[axis]! - 1, f(g.flip(x, axis), axis, options)))
  }

const folds = { folds: true, host: [1] }

export const reductions: Family = {
  ArgMax: row([1, 11, 12, 13], extremePlace(g.argmax)),
  ArgMin: row([1, 11, 12, 13], extremePlace(g.argmin)),
  ReduceL1: row([1, 11, 13, 18], reduction(l1, 18), { host: [1] }),
  ReduceL2: row([1, 11, 13, 18], reduction(l2, 18), { host: [1] }),
  ReduceLogSum: row([1, 11, 13, 18, 28], reduction(logSum, 18), { host: [1] }),
  ReduceLogSumExp: row([1, 11, 13, 18, 28], reduction(logSumExp, 18), { host: [1] }),
  ReduceMax: row([1, 11, 12, 13, 18, 20], reduction(greatest, 18), folds),
  ReduceMean: row([1, 11, 13, 18], reduction(mean, 18), { host: [1] }),
  ReduceMin: row([1, 11, 12, 13, 18, 20], reduction(least, 18), folds),
  ReduceProd: row([1, 11, 13, 18], reduction(product, 18), folds),
  ReduceSum: row([1, 11, 13], reduction(sum, 13), folds),
  ReduceSumSquare: row([1, 11, 13, 18], reduction(sumSquare, 18), { host: [1] }),
}
