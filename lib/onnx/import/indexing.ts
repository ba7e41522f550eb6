/** Operators that read and write elements by their places. */
import { expected, ShapeError } from '../../base/errors.ts'
import { denseStrides, formatShape, normalizeAxis, type Shape, sizeOf } from '../../base/shape.ts'
import * as g from '../../operations/index.ts'
import { tensor } from '../../tensor/creation.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { isCompiling } from '../../tensor/trace.ts'
import { DependsOnDataError } from '../errors.ts'
import { HostArray } from '../values.ts'
import type { Call } from './call.ts'
import { fitsHost, picked } from './host.ts'
import { countTo, multiples } from './places.ts'
import { type Family, type Result, row } from './row.ts'

const axisOf = (call: Call, otherwise: number): number =>
  normalizeAxis(call.info.operator, call.attributes.int('axis', otherwise), call.shape(0).length)

/** Indices of which negative ones count from the end. */
function fromStart(indices: Tensor, extent: number): Tensor {
  return g.where(g.less(indices, 0), g.add(indices, extent), indices)
}

/** Those of an input, on the host where they are known. */
function indicesOf(call: Call, input: number, extent: number): Tensor {
  const value = call.value(input)
  if (!(value instanceof HostArray)) return fromStart(value.tensor, extent)
  const places = Int32Array.from(value.numbers(), (i) => (i < 0 ? i + extent : i))
  return tensor(places, { shape: value.shape })
}

function gather(call: Call): Result {
  const [data, indices] = [call.value(0), call.value(1)]
  const axis = axisOf(call, 0)
  const extent = data.shape[axis]!
  if (data instanceof HostArray && indices instanceof HostArray) {
    const shape = [...data.shape.slice(0, axis), ...indices.shape, ...data.shape.slice(axis + 1)]
    const inner = sizeOf(data.shape.slice(axis + 1))
    const place = (i: number): number => {
      const [row, column] = [Math.floor(i / inner), i % inner]
      const at = Number(indices.data[row % indices.size])
      if (!(at >= -extent && at < extent)) throw new RangeError(expected('Gather', `indices below ${extent}`, at))
      return (Math.floor(row / indices.size) * extent + (at < 0 ? at + extent : at)) * inner + column
    }
    if (fitsHost(shape)) return picked(data, shape, place)
  }
  return g.take(call.tensor(0), indicesOf(call, 1, extent), axis)
}

function gatherElements(call: Call): Result {
  const axis = axisOf(call, 0)
  const indices = indicesOf(call, 1, call.shape(0)[axis]!)
  // Of the other axes, indices may be fewer than there are elements.
  const ends = call.shape(0).map((extent, i) => (i === axis ? extent : indices.shape[i]!))
  const x = g.slice(
    call.tensor(0),
    ends.map(() => 0),
    ends,
  )
  return g.takeAlongAxis(x, indices, axis)
}

/** Rows of a tensor: those of its first axes, as one axis, and which of them tuples of indices mean. */
interface Rows {
  readonly rows: Tensor
  readonly at: Tensor
  readonly rest: Shape
}

/** `indices` have tuples along their last axis, of places in the axes after those of the batch. */
function rowsOf(x: Tensor, indices: Tensor, batchAxes: number): Rows {
  const depth = indices.shape.at(-1)!
  const named = x.shape.slice(0, batchAxes + depth)
  const rest = x.shape.slice(batchAxes + depth)
  const strides = denseStrides(named)
  // What reads the offset of an index checks it, too.
  const offsets = Array.from({ length: depth }, (_, i) => {
    const [extent, stride] = [named[batchAxes + i]!, strides[batchAxes + i]!]
    const component = g.select(indices, -1, i)
    return g.gather(multiples(extent, stride), fromStart(component, extent))
  })
  const shape = indices.shape.slice(0, -1)
  const batch = sizeOf(shape.slice(0, batchAxes))
  const perBatch = sizeOf(named.slice(batchAxes))
  const start = g.reshape(multiples(batch, perBatch), [
    ...shape.slice(0, batchAxes),
    ...shape.slice(batchAxes).map(() => 1),
  ])
  const zeros = g.broadcastTo(start, shape)
  return { rows: g.reshape(x, [sizeOf(named), ...rest]), at: offsets.reduce((a, b) => g.add(a, b), zeros), rest }
}

function gatherND(call: Call): Result {
  const { rows, at } = rowsOf(call.tensor(0), call.tensor(1), call.attributes.int('batch_dims', 0))
  return g.gather(rows, at)
}

const reductions = { add: 'sum', mul: 'prod', max: 'amax', min: 'amin' } as const

/** rows[at[i]] becomes updates[i], or what it is reduced to with that. */
function written(call: Call, rows: Tensor, at: Tensor, updates: Tensor): Tensor {
  const reduction = call.attributes.choice('reduction', ['none', 'add', 'mul', 'max', 'min'], 'none')
  if (at.size === 0) return rows
  if (reduction === 'none') return g.scatter(rows, at, updates)
  if (reduction === 'add') return g.scatterAdd(rows, at, updates)
  const width = rows.size / Math.max(1, rows.shape[0]!)
  const flat = g.reshape(rows, [rows.shape[0]!, width])
  const places = g.reshape(at, [at.size, 1])
  const result = g.scatterReduce(flat, places, g.reshape(updates, [at.size, width]), 0, reductions[reduction])
  return g.reshape(result, rows.shape)
}

function scatterND(call: Call): Result {
  const x = call.tensor(0)
  const { rows, at, rest } = rowsOf(x, call.tensor(1), 0)
  const updates = g.reshape(call.tensor(2), [...at.shape, ...rest])
  return g.reshape(written(call, rows, at, updates), x.shape)
}

function scatterElements(call: Call): Result {
  const x = call.tensor(0)
  const axis = axisOf(call, 0)
  const indices = indicesOf(call, 1, x.shape[axis]!)
  const strides = denseStrides(x.shape)
  const own = denseStrides(indices.shape)
  const others = Int32Array.from({ length: indices.size }, (_, i) =>
    strides.reduce((place, stride, k) => {
      return k === axis ? place : place + (Math.floor(i / own[k]!) % indices.shape[k]!) * stride
    }, 0),
  )
  const along = g.gather(multiples(x.shape[axis]!, strides[axis]!), g.reshape(indices, [indices.size]))
  const flat = written(
    call,
    g.reshape(x, [x.size]),
    g.add(along, tensor(others)),
    g.reshape(call.tensor(2), [indices.size]),
  )
  return g.reshape(flat, x.shape)
}

/** Of values [off, on] the second at each class, and the first elsewhere; a class beyond the depth has none. */
function oneHot(call: Call): Result {
  const depth = call.number(1)
  const classes = g.cast(call.tensor(0), 'int32')
  const axis = call.attributes.int('axis', -1)
  const isHot = g.equal(g.expandDims(fromStart(classes, depth), -1), countTo(depth))
  const values = call.tensor(2)
  const chosen = g.where(g.moveAxis(isHot, -1, axis), g.at(values, 1), g.at(values, 0))
  return call.as(call.type(2), chosen)
}

function topK(call: Call): Result[] {
  const { attributes } = call
  const k = call.since >= 10 ? call.number(1) : attributes.int('k', 0)
  const axis = axisOf(call, -1)
  const { values, indices } = g.topk(call.tensor(0), k, { axis, largest: attributes.flag('largest', true) })
  return [call.as(call.type(0), values), call.as('int64', indices)]
}

function checkHasData(call: Call): void {
  if (isCompiling() && !call.isAllHost) throw new DependsOnDataError(`the size of what ${call.info.place} gives`)
}

/** The positions of all elements that are not 0, a column for each. */
function nonZero(call: Call): Result {
  checkHasData(call)
  const { data, shape } = call.host(0)
  const strides = denseStrides(shape)
  const found: number[] = []
  for (let i = 0; i < data.length; i++) if (Number(data[i]) !== 0) found.push(i)
  const rows = strides.flatMap((stride, axis) => found.map((i) => Math.floor(i / stride) % shape[axis]!))
  return HostArray.of('int64', [shape.length, found.length], rows)
}

/** The parts along an axis, or the elements, at which a condition holds. */
function compress(call: Call): Result {
  checkHasData(call)
  const { data } = call.host(1)
  const places = Int32Array.from([...data.keys()].filter((i) => Number(data[i]) !== 0))
  const x = call.tensor(0)
  const hasAxis = call.attributes.has('axis')
  return call.as(
    call.type(0),
    hasAxis ? g.take(x, tensor(places), axisOf(call, 0)) : g.gather(g.reshape(x, [x.size]), tensor(places)),
  )
}

/** The different parts along an axis, or elements, with their first places, where each one is among them, and how many they are. */
function unique(call: Call): Result[] {
  checkHasData(call)
  const { data, shape, type } = call.host(0)
  const axis = call.attributes.has('axis') ? axisOf(call, 0) : undefined
  const length = axis === undefined ? data.length : shape[axis]!
  const inner = axis === undefined ? 1 : sizeOf(shape.slice(axis + 1))
  const outer = axis === undefined ? 1 : sizeOf(shape.slice(0, axis))
  const part = (i: number): (number | bigint)[] =>
    Array.from({ length: outer * inner }, (_, k) => data[(Math.floor(k / inner) * length + i) * inner + (k % inner)]!)
  const parts = Array.from({ length }, (_, i) => part(i))
  const order = parts.map((_, i) => i).sort((i, j) => compare(parts[i]!, parts[j]!) || i - j)
  const firsts: number[] = []
  const groupOf = new Array<number>(length)
  order.forEach((i, place) => {
    if (place === 0 || compare(parts[order[place - 1]!]!, parts[i]!) !== 0) firsts.push(i)
    groupOf[i] = firsts.length - 1
  })
  const isSorted = call.attributes.flag('sorted', true)
  const groups = firsts.map((_, k) => k)
  if (!isSorted) groups.sort((a, b) => firsts[a]! - firsts[b]!)
  const placeOf = new Map(groups.map((group, place) => [group, place]))
  const inverse = groupOf.map((group) => placeOf.get(group)!)
  const counts = new Array<number>(groups.length).fill(0)
  for (const group of inverse) counts[group]!++
  const kept = groups.map((group) => firsts[group]!)
  const y = axis === undefined ? [kept.length] : shape.with(axis, kept.length)
  const values = picked(call.host(0), y, (i) => {
    const row = Math.floor(i / inner)
    return (Math.floor(row / kept.length) * length + kept[row % kept.length]!) * inner + (i % inner)
  })
  return [new HostArray(type, y, values.data), ...[kept, inverse, counts].map((list) => HostArray.integers(list))]
}

/** In the order of sorting, NaN last. */
function compare(a: readonly (number | bigint)[], b: readonly (number | bigint)[]): number {
  for (const [i, x] of a.entries()) {
    const y = b[i]!
    if (x < y || (Number.isNaN(y) && !Number.isNaN(x))) return -1
    if (x > y || (Number.isNaN(x) && !Number.isNaN(y))) return 1
  }
  return 0
}

const cumulative =
  (f: typeof g.cumsum) =>
  (call: Call): Result => {
    const { attributes } = call
    const options = { exclusive: attributes.flag('exclusive', false), reverse: attributes.flag('reverse', false) }
    return f(call.tensor(0), normalizeAxis(call.info.operator, call.number(1), call.shape(0).length), options)
  }

/** A cache in which each sequence of a batch gets new parts, from a place of its own on; circular ones go on at their start. */
function tensorScatter(call: Call): Result {
  const [cache, update] = [call.tensor(0), call.tensor(1)]
  const axis = axisOf(call, -2)
  const isCircular = call.attributes.choice('mode', ['linear', 'circular'], 'linear') === 'circular'
  const [extent, count, batch] = [cache.shape[axis]!, update.shape[axis]!, cache.shape[0]!]
  const starts = call.has(2) ? call.tensor(2) : tensor(new Int32Array(batch))
  const shape = (ofAxis: number, size: number) => cache.shape.map((_, i) => (i === ofAxis ? size : 1))
  const places = g.add(g.reshape(starts, shape(0, batch)), g.reshape(multiples(count, 1), shape(axis, count)))
  const at = g.broadcastTo(isCircular ? g.mod(places, extent) : places, update.shape)
  if (axis === 0)
    throw new ShapeError(expected('TensorScatter', 'an axis other than that of the batch', formatShape(cache.shape)))
  return g.putAlongAxis(cache, at, update, axis)
}

export const indexing: Family = {
  Compress: row([9, 11, 28], compress),
  CumProd: row([26], cumulative(g.cumprod), { host: [1] }),
  CumSum: row([11, 14], cumulative(g.cumsum), { host: [1] }),
  Gather: row([1, 11, 13], gather, { folds: true }),
  GatherElements: row([11, 13], gatherElements),
  GatherND: row([11, 12, 13], gatherND),
  NonZero: row([9, 13], nonZero),
  OneHot: row([9, 11, 28], oneHot, { host: [1] }),
  Scatter: row([9], scatterElements),
  ScatterElements: row([11, 13, 16, 18], scatterElements),
  ScatterND: row([11, 13, 16, 18], scatterND),
  TensorScatter: row([24], tensorScatter),
  TopK: row([1, 10, 11, 24], topK, { host: [1] }),
  Unique: row([11, 28], unique),
}
