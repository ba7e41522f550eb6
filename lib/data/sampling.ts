/** Which rows of a data set a pass consists of, and in which order. */
import { checkInteger, checkNumber, describe } from '../base/arguments.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { inTurns, type Pieces, stepsPerPiece } from '../base/turns.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { fineFractionOf, hashOf } from './hashing.ts'
import { permutation, range } from './permutation.ts'

export interface Sampling {
  /** What it is called in the structure of a pipeline. */
  readonly name: string
  /** The number of rows in a pass. */
  readonly count: number
  readonly reordered: boolean
  rows(epoch: number): Promise<Int32Array>
}

export interface SamplingOptions {
  readonly size: number
  readonly seed: number
  readonly shuffle?: boolean
  readonly weights?: ArrayLike<number>
  readonly balanced?: boolean
  readonly count?: number
  /** The class of each row. */
  labels(): Tensor
}

export const checkSeed = (op: string, seed: number): number =>
  checkNumber(op, 'an integer seed from 0 to 2³² − 1', seed, (x) => Number.isInteger(x) && x >= 0 && x < 2 ** 32)

/** @throws as `Dataset.stream` says */
export function samplingOf(options: SamplingOptions): Sampling {
  const { size, seed, shuffle = false, weights, balanced = false, count } = options
  checkSeed('stream', seed)
  if (Number(shuffle) + Number(weights !== undefined) + Number(balanced) > 1)
    throw new TypeError(expected('stream', 'one of shuffle, weights and balanced', 'several of them'))
  if (weights !== undefined) return drawn('weights', options, checkedWeights(weights, size))
  if (balanced) return drawn('balanced', options, options.labels())
  if (count !== undefined) throw new TypeError(expected('stream', 'weights, or balanced, with a count', 'neither'))
  if (shuffle)
    return {
      name: `${size}, shuffle, seed ${seed}`,
      count: size,
      reordered: true,
      rows: (epoch) => permutation(size, seed, epoch),
    }
  return { name: `${size}`, count: size, reordered: false, rows: async () => range(size) }
}

function checkedWeights(weights: ArrayLike<number>, size: number): Float64Array {
  if (!Array.isArray(weights) && !ArrayBuffer.isView(weights))
    throw new TypeError(expected('stream', 'weights as numbers in an array', describe(weights)))
  if (weights.length !== size)
    throw new ShapeError(expected('stream', `${size} weights, one for each row`, weights.length))
  const copy = Float64Array.from(weights, (weight) =>
    checkNumber('stream', 'finite weights of at least 0', weight, (x) => x >= 0 && x < Infinity),
  )
  if (!copy.some((weight) => weight > 0)) throw new RangeError(expected('stream', 'a weight above 0', 'none'))
  return copy
}

function drawn(kind: string, { size, seed, count = size }: SamplingOptions, from: Float64Array | Tensor): Sampling {
  checkInteger('stream', 'a count of at least 0', count, 0, 2 ** 31 - 1)
  let sums: Promise<Float64Array> | undefined
  const rows = async (epoch: number) => {
    sums ??= cumulative(from)
    return inTurns(drawing(await sums, count, hashOf(seed, epoch)))
  }
  return { name: `${size}, ${kind}, ${count} drawn, seed ${seed}`, count, reordered: true, rows }
}

/** The weight of each row and those before it. */
async function cumulative(from: Float64Array | Tensor): Promise<Float64Array> {
  const weights = from instanceof Float64Array ? from : await balancing(from)
  let sum = 0
  return weights.map((weight) => (sum += weight))
}

/** One over the number of rows of its class for each row. */
async function balancing(labels: Tensor): Promise<Float64Array> {
  const classes = await labels.data()
  const counts = new Map<number, number>()
  for (const label of classes) counts.set(label, (counts.get(label) ?? 0) + 1)
  return Float64Array.from(classes, (label) => 1 / counts.get(label)!)
}

function* drawing(sums: Float64Array, count: number, key: number): Pieces<Int32Array> {
  const rows = new Int32Array(count)
  const total = sums.at(-1) ?? 0
  for (let i = 0; i < count; i++) {
    if (i > 0 && i % (stepsPerPiece / 16) === 0) yield
    rows[i] = firstAbove(sums, fineFractionOf(key, i) * total)
  }
  return rows
}

/** The first place of ascending numbers whose number is above another one. */
function firstAbove(sums: Float64Array, x: number): number {
  let [low, high] = [0, sums.length - 1]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (sums[middle]! > x) high = middle
    else low = middle + 1
  }
  return low
}
