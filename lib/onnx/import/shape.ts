/** Operators that say shapes, change them, or move elements without changing them, and those that make tensors of nothing else. */
import { isFloat } from '../../base/dtype.ts'
import { expected, ShapeError } from '../../base/errors.ts'
import {
  denseStrides,
  formatShape,
  maxExtent,
  normalizeAxes,
  normalizeAxis,
  type Shape,
  sizeOf,
} from '../../base/shape.ts'
import { sliceRanges } from '../../base/slice-bounds.ts'
import * as g from '../../operations/index.ts'
import { full } from '../../tensor/creation.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { required } from '../attributes.ts'
import { type ElementType, isFloatType, rangeOf, typeOfCode } from '../types.ts'
import { HostArray, TensorValue, type Value } from '../values.ts'
import { decodeTensor } from '../wire/tensors.ts'
import type { Call } from './call.ts'
import { fitsHost, picked, placesIn } from './host.ts'
import { countTo } from './places.ts'
import { type Body, type Family, type Result, row } from './row.ts'

const foldable = { folds: true }
/** The versions that came with new types alone, from opset 19 on. */
const newTypes = [19, 21, 23, 24, 25]

/** The sizes of some of the axes. */
function shapeOf(call: Call): Result {
  const shape = call.shape(0)
  const { attributes } = call
  const place = (axis: number) => Math.min(shape.length, Math.max(0, axis < 0 ? axis + shape.length : axis))
  const end = attributes.int('end', null)
  return HostArray.integers(shape.slice(place(attributes.int('start', 0)), end === null ? undefined : place(end)))
}

const sizeOfInput: Body = (call) => HostArray.of('int64', [], [sizeOf(call.shape(0))])

/** The same elements under another shape: on the host where they are there. */
export function reshaped(value: Value, shape: Shape): Result {
  return value instanceof HostArray
    ? value.withShape(shape)
    : new TensorValue(g.reshape(value.tensor, shape), value.type)
}

/** 0 takes over an extent unless it is allowed to be one, and −1 is what is left. */
function reshape(call: Call): Result {
  const from = call.shape(0)
  const wanted = call.integers(1)
  const allowsZero = call.attributes.flag('allowzero', false)
  const shape = wanted.map((extent, axis) => (extent === 0 && !allowsZero ? extentAt(from, axis) : extent))
  const open = shape.indexOf(-1)
  if (open !== -1) {
    const others = sizeOf(shape.toSpliced(open, 1))
    shape[open] = others === 0 ? 0 : sizeOf(from) / others
  }
  if (sizeOf(shape) !== sizeOf(from) || !shape.every((extent) => Number.isInteger(extent) && extent >= 0))
    throw new ShapeError(expected('Reshape', `a shape of ${sizeOf(from)} elements`, formatShape(wanted)))
  return reshaped(call.value(0), shape)
}

function extentAt(shape: Shape, axis: number): number {
  if (axis >= shape.length) throw new ShapeError(expected('Reshape', `an axis ${axis} to copy`, formatShape(shape)))
  return shape[axis]!
}

function flatten(call: Call): Result {
  const shape = call.shape(0)
  const axis = call.attributes.int('axis', 1)
  if (axis < -shape.length || axis > shape.length)
    throw new ShapeError(expected('Flatten', `an axis of ${formatShape(shape)} or its end`, axis))
  const rows = shape.slice(0, axis < 0 ? axis + shape.length : axis)
  const columns = shape.slice(rows.length)
  return reshaped(call.value(0), [sizeOf(rows), sizeOf(columns)])
}

/** Axes that are an attribute before a version, and an input from then on. */
export function axesOf(call: Call, inputSince: number, input = 1): number[] | undefined {
  return call.since >= inputSince ? call.optionalIntegers(input) : call.attributes.ints('axes', undefined)
}

function squeeze(call: Call): Result {
  const shape = call.shape(0)
  const given = axesOf(call, 13)
  const axes = given === undefined ? undefined : normalizeAxes('Squeeze', given, shape.length)
  const wide = axes?.find((axis) => shape[axis] !== 1)
  if (wide !== undefined)
    throw new ShapeError(expected('Squeeze', `an extent of 1 at axis ${wide}`, formatShape(shape)))
  return reshaped(
    call.value(0),
    shape.filter((extent, axis) => (axes === undefined ? extent !== 1 : !axes.includes(axis))),
  )
}

function unsqueeze(call: Call): Result {
  const shape = [...call.shape(0)]
  const given = axesOf(call, 13) ?? []
  const axes = normalizeAxes('Unsqueeze', given, shape.length + given.length)
  for (const axis of axes) shape.splice(axis, 0, 1)
  return reshaped(call.value(0), shape)
}

function transpose(call: Call): Result {
  const value = call.value(0)
  const axes = call.attributes.ints('perm', undefined) ?? value.shape.map((_, axis) => value.shape.length - 1 - axis)
  if (!(value instanceof HostArray && fitsHost(value.shape))) return g.permute(call.tensor(0), axes)
  const { shape } = value
  const order = normalizeAxes('Transpose', axes, shape.length).length === shape.length ? axes : []
  const strides = denseStrides(shape)
  const moved = order.map((axis) => shape.at(axis)!)
  const own = denseStrides(moved)
  return picked(value, moved, (i) =>
    order.reduce((place, axis, k) => place + (Math.floor(i / own[k]!) % moved[k]!) * strides.at(axis)!, 0),
  )
}

function expand(call: Call): Result {
  const value = call.value(0)
  const shape = broadcast(value.shape, call.integers(1))
  if (value instanceof HostArray && fitsHost(shape)) return picked(value, shape, placesIn(value.shape, shape))
  return g.broadcastTo(call.tensor(0), shape)
}

/** Both may have extents of 1 that the other one has more of. */
function broadcast(a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length)
  return Array.from({ length: rank }, (_, i) => {
    const [x, y] = [a[a.length - rank + i] ?? 1, b[b.length - rank + i] ?? 1]
    if (x !== y && x !== 1 && y !== 1)
      throw new ShapeError(expected('Expand', `a shape that broadcasts with ${formatShape(a)}`, formatShape(b)))
    return x === 1 ? y : x
  })
}

function concat(call: Call): Result {
  const axis = call.attributes.int('axis', required) as number
  const values = call.values()
  if (values.every((value) => value instanceof HostArray)) {
    const joined = joinedOnHost(values as HostArray[], axis)
    if (joined !== undefined) return joined
  }
  return g.concat(call.tensors(), axis)
}

/** Undefined for what is too large, or what tensors refuse with their own words. */
function joinedOnHost(values: readonly HostArray[], given: number): HostArray | undefined {
  const { shape, type } = values[0]!
  const axis = given < 0 ? given + shape.length : given
  const fits = values.every(
    (value) => value.shape.length === shape.length && value.shape.every((x, i) => i === axis || x === shape[i]),
  )
  const extent = values.reduce((sum, value) => sum + (value.shape[axis] ?? 0), 0)
  if (!fits || !(axis >= 0 && axis < shape.length) || !fitsHost(shape.with(axis, extent))) return undefined
  const rows = sizeOf(shape.slice(0, axis))
  const all = Array.from({ length: rows }, (_, row) =>
    values.flatMap(({ data, size }) =>
      Array.from(data.slice((row * size) / rows, ((row + 1) * size) / rows) as ArrayLike<number | bigint>),
    ),
  )
  return HostArray.of(type, shape.with(axis, extent), all.flat())
}

/** Parts along an axis: of given sizes, or as equal as can be, the last one smaller. */
function split(call: Call): readonly Result[] {
  const { attributes } = call
  const shape = call.shape(0)
  const axis = normalizeAxis('Split', attributes.int('axis', 0), shape.length)
  const given = call.since >= 13 ? call.optionalIntegers(1) : attributes.ints('split', undefined)
  const count = attributes.int('num_outputs', call.outputs)
  if (count !== call.outputs) throw attributes.error('num_outputs', `the ${call.outputs} outputs that there are`, count)
  const each = Math.ceil(shape[axis]! / count)
  const sizes = given ?? Array.from({ length: count }, (_, i) => Math.max(0, Math.min(each, shape[axis]! - i * each)))
  if (sizes.some((size) => size < 0) || sizes.reduce((a, b) => a + b, 0) !== shape[axis])
    throw new ShapeError(expected('Split', `sizes that sum up to ${shape[axis]}`, formatShape(sizes)))
  let start = 0
  return sizes.map((size) => {
    start += size
    const bounds = shape.map((extent, i) => (i === axis ? [start - size, start] : [0, extent]))
    const at = (end: 0 | 1) => bounds.map((pair) => pair[end]!)
    return sliced(
      call.value(0),
      at(0),
      at(1),
      shape.map(() => 1),
    )
  })
}

/** start:end:step of each axis, as numpy has it. */
function sliced(value: Value, starts: number[], ends: number[], steps: number[]): Result {
  const { shape } = value
  if (!(value instanceof HostArray))
    return new TensorValue(g.slice(value.tensor, starts, ends, { step: steps }), value.type)
  const ranges = sliceRanges(shape, starts, ends, steps)
  const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)))
  const inner = ranges.sizes.map((_, axis) => sizeOf(ranges.sizes.slice(axis + 1)))
  return picked(value, ranges.sizes, (i) =>
    ranges.sizes.reduce((place, size, axis) => {
      const position = Math.floor(i / inner[axis]!) % size
      return place + (ranges.starts[axis]! + position * ranges.steps[axis]!) * strides[axis]!
    }, 0),
  )
}

function slice(call: Call): Result {
  const shape = call.shape(0)
  const { attributes } = call
  const isByInput = call.since >= 10
  const starts = isByInput ? call.places(1) : (attributes.ints('starts', required) as number[])
  const ends = isByInput ? call.places(2) : (attributes.ints('ends', required) as number[])
  const given = isByInput ? call.optionalIntegers(3) : attributes.ints('axes', undefined)
  const steps = isByInput && call.has(4) ? call.places(4) : starts.map(() => 1)
  const axes = (given ?? starts.map((_, i) => i)).map((axis) => normalizeAxis('Slice', axis, shape.length))
  if (ends.length !== starts.length || axes.length !== starts.length || steps.length !== starts.length)
    throw new ShapeError(
      expected('Slice', `${starts.length} ends, axes and steps`, `${ends.length}, ${axes.length} and ${steps.length}`),
    )
  const whole = { starts: shape.map(() => 0), ends: [...shape], steps: shape.map(() => 1) }
  axes.forEach((axis, i) => {
    whole.starts[axis] = starts[i]!
    whole.ends[axis] = ends[i]!
    whole.steps[axis] = steps[i]!
  })
  return sliced(call.value(0), whole.starts, whole.ends, whole.steps)
}

function tile(call: Call): Result {
  return g.tile(call.tensor(0), call.integers(1))
}

/** The type of a number in an attribute. */
export function typeOfAttribute(call: Call, name: string, otherwise: ElementType | typeof required): ElementType {
  const code = call.attributes.int(name, typeof otherwise === 'symbol' ? otherwise : null)
  const type = code === null && typeof otherwise !== 'symbol' ? otherwise : typeOfCode(code as number)
  if (type === undefined) throw call.attributes.error(name, 'a data type', code)
  return type
}

/** Another type: floats are cut toward zero, and integers wrap in what has fewer bits. */
export function castTo(call: Call, value: Value, type: ElementType): Result {
  const dtype = call.dtypeOf(type)
  if (value instanceof HostArray) return HostArray.of(type, value.shape, value.data)
  const { tensor } = value
  if (dtype === 'bool') return call.as(type, g.cast(tensor, dtype))
  const range = rangeOf(type)
  const isNarrow = range !== undefined && range[1] < 2n ** 31n - 1n
  if (!isNarrow || (isFloat(tensor.dtype) && dtype === 'uint8')) return call.as(type, g.cast(tensor, dtype))
  return call.as(type, g.cast(wrapInto(g.cast(tensor, 'int32'), range), dtype))
}

/** int32 numbers modulo the size of a range. */
function wrapInto(x: Tensor, [least, most]: readonly [bigint, bigint]): Tensor {
  if (least === 0n) return g.bitwiseAnd(x, Number(most))
  const shift = 32 - (most - least).toString(2).length
  return g.rightShift(g.leftShift(x, shift), shift)
}

/** What a constant node holds, in whichever attribute. */
function constant(call: Call): Result {
  const { attributes } = call
  const { place, doubles } = call.info
  if (attributes.has('value')) {
    const proto = attributes.tensor('value', null)
    if (proto === null) throw attributes.error('value', 'a tensor', 'none')
    return decodeTensor(proto, doubles, place)
  }
  if (attributes.has('value_int')) return HostArray.of('int64', [], [attributes.bigint('value_int', 0n)])
  if (attributes.has('value_ints')) return HostArray.integers(attributes.bigints('value_ints', []))
  if (attributes.has('value_float')) return HostArray.of('float', [], [attributes.float('value_float', 0)])
  if (attributes.has('value_floats')) {
    const floats = attributes.floats('value_floats', [])
    return HostArray.of('float', [floats.length], floats)
  }
  throw attributes.error(attributes.names[0] ?? 'value', 'a value of numbers', 'none')
}

function constantOfShape(call: Call): Result {
  const shape = call.integers(0)
  const { doubles, place } = call.info
  const proto = call.attributes.tensor('value', null)
  const value = proto === null ? HostArray.of('float', [1], [0]) : decodeTensor(proto, doubles, place)
  if (!(value instanceof HostArray) || value.size !== 1)
    throw call.attributes.error('value', 'one element', formatShape(value.shape))
  if (fitsHost(shape) && !isFloatType(value.type)) return picked(value, shape, () => 0)
  return call.as(value.type, full(shape, Number(value.data[0]), { dtype: call.dtypeOf(value.type) }))
}

/** start, start + step, … before the limit. */
function range(call: Call): Result {
  const type = call.type(0)
  const [start, limit, step] = [call.number(0), call.number(1), call.number(2)]
  const count = Math.max(0, Math.ceil((limit - start) / step))
  if (!Number.isFinite(count)) throw new RangeError(expected('Range', 'a step other than 0', step))
  if (fitsHost([count]))
    return HostArray.of(
      type,
      [count],
      Array.from({ length: count }, (_, i) => start + i * step),
    )
  const dtype = call.dtypeOf(type)
  return call.as(type, g.add(g.mul(g.cast(countTo(count), dtype), step), start))
}

function eyeLike(call: Call): Result {
  const [rows, columns, ...others] = call.shape(0)
  if (rows === undefined || columns === undefined || others.length > 0)
    throw new ShapeError(expected('EyeLike', 'a matrix', formatShape(call.shape(0))))
  const type = typeOfAttribute(call, 'dtype', call.type(0))
  const k = call.attributes.int('k', 0)
  const isOne = g.equal(
    g.add(g.expandDims(countTo(rows), 1), Math.max(-maxExtent, Math.min(k, maxExtent))),
    countTo(columns),
  )
  return call.as(type, g.cast(isOne, call.dtypeOf(type)))
}

/** Runs of elements along an axis turned round, each batch its own number of them. */
function reverseSequence(call: Call): Result {
  const { attributes } = call
  const x = call.tensor(0)
  const time = attributes.int('time_axis', 0)
  const batch = attributes.int('batch_axis', 1)
  const steps = x.shape[time]!
  const along = (axis: number, of: Tensor) =>
    g.reshape(
      of,
      x.shape.map((_, i) => (i === axis ? of.size : 1)),
    )
  const position = along(time, countTo(steps))
  const length = along(batch, call.tensor(1))
  const from = g.where(g.less(position, length), g.sub(g.sub(length, 1), position), position)
  return g.takeAlongAxis(x, g.broadcastTo(from, x.shape), time)
}

function trilu(call: Call): Result {
  const isUpper = call.attributes.flag('upper', true)
  return (isUpper ? g.triu : g.tril)(
    call.tensor(0),
    Math.max(-(2 ** 30), Math.min(2 ** 30, call.optionalNumber(1) ?? 0)),
  )
}

export const shapes: Family = {
  Cast: row(
    [6, 9, 13, 19, 21, 23, 24, 25, 28],
    (call) => castTo(call, call.value(0), typeOfAttribute(call, 'to', required)),
    foldable,
  ),
  CastLike: row([15, 19, 21, 23, 24, 25], (call) => castTo(call, call.value(0), call.type(1)), foldable),
  Concat: row([4, 11, 13], concat, foldable),
  Constant: row([1, 9, 11, 12, 13, ...newTypes], constant, foldable),
  ConstantOfShape: row([9, 20, 21, 23, 24, 25], constantOfShape, { folds: true, host: [0] }),
  Expand: row([8, 13], expand, { folds: true, host: [1] }),
  EyeLike: row([9, 22], eyeLike),
  Flatten: row([1, 9, 11, 13, 21, 23, 24, 25], flatten, foldable),
  Range: row([11, 27], range, { folds: true, host: [0, 1, 2] }),
  Reshape: row([5, 13, 14, ...newTypes], reshape, { folds: true, host: [1] }),
  ReverseSequence: row([10, 28], reverseSequence),
  Shape: row([1, 13, 15, ...newTypes], shapeOf, foldable),
  Size: row([1, 13, ...newTypes], sizeOfInput, foldable),
  Slice: row([1, 10, 11, 13], slice, { folds: true, host: [1, 2, 3, 4] }),
  Split: row([2, 11, 13, 18], split, { folds: true, host: [1] }),
  Squeeze: row([1, 11, 13, 21, 23, 24, 25], squeeze, { folds: true, host: [1] }),
  Tile: row([6, 13], tile, { host: [1] }),
  Transpose: row([1, 13, 21, 23, 24, 25], transpose, foldable),
  Trilu: row([14], trilu, { host: [1] }),
  Unsqueeze: row([1, 11, 13, 21, 23, 24, 25], unsqueeze, { folds: true, host: [1] }),
}
