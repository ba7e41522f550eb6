/** Initial weights with a structure: the identity, of layers and convolutions, orthogonal rows, columns with few elements. */
import { checkFinite, checkInteger, checkNumber } from '../../base/arguments.ts'
import { expected, ShapeError } from '../../base/errors.ts'
import { checkOptions, type OptionTypes, requireOptions } from '../../base/options.ts'
import { checkShape, extentAt, formatShape, type Shape, sizeOf } from '../../base/shape.ts'
import { sign } from '../../operations/arithmetic.ts'
import { greaterEqual, where } from '../../operations/comparison.ts'
import { diagonal } from '../../operations/diagonals.ts'
import { oneHot } from '../../operations/indexing.ts'
import { concat } from '../../operations/joining.ts'
import { qr } from '../../operations/linalg.ts'
import { argsort } from '../../operations/sort.ts'
import { eye as identityMatrix } from '../../tensor/creation.ts'
import { randn, uniform } from '../../tensor/random.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { givenTo, type InitializerOptions, initializerOptions, nextSeed } from './common.ts'

function checkAxes(op: string, shape: Shape, what: string, isValid: (axes: number) => boolean): Shape {
  checkShape(op, shape)
  if (!isValid(shape.length)) throw new ShapeError(expected(op, what, formatShape(shape)))
  return shape
}

/** 1 on the diagonal of a matrix, 0 elsewhere: a dense layer that passes on its input. PyTorch's `eye_`. */
export function eye(shape: Shape, options?: InitializerOptions): Tensor {
  const { dtype = 'float32' } = givenTo('eye', options)
  const [rows, columns] = checkAxes('eye', shape, 'a shape [out, in]', (n) => n === 2) as [number, number]
  return identityMatrix(rows, columns, { dtype })
}

export interface DiracOptions extends InitializerOptions {
  /** Each of so many groups of output channels passes on the first inputs; 1 unless given. */
  groups?: number
}

const diracOptions: OptionTypes<DiracOptions> = { groups: 'number', ...initializerOptions }

/**
 * 1 in the middle of the window from a channel to the same channel, 0 elsewhere: a convolution that passes on its input, as far
 * as it has channels for it. PyTorch's `dirac_`.
 *
 * @param shape [out, in / groups, …window] of one to three axes of the window
 * @throws RangeError for groups that do not divide the output channels
 */
export function dirac(shape: Shape, options?: DiracOptions): Tensor {
  const { groups = 1, dtype = 'float32' } = checkOptions('dirac', options, diracOptions)
  checkAxes('dirac', shape, 'a shape [out, in, …window] of 3 to 5 axes', (n) => n >= 3 && n <= 5)
  const [out, inputs, ...window] = shape as readonly [number, number, ...number[]]
  checkNumber('dirac', `groups that divide ${out} channels`, groups, (n) => n > 0 && Number.isInteger(out / n))
  const channels = concat(Array.from({ length: groups }, () => identityMatrix(out / groups, inputs, { dtype })))
  const size = sizeOf(window)
  if (size === 0) return channels.reshape([out, inputs, 1]).slice([0, 0, 0], [out, inputs, 0]).reshape(shape)
  const middle = window.reduce((place, extent) => place * extent + Math.floor(extent / 2), 0)
  const middles = oneHot(middle, size, { dtype })
  return channels.reshape([out, inputs, 1]).mul(middles).reshape(shape)
}

export interface OrthogonalOptions extends InitializerOptions {
  /** What all numbers are multiplied by; 1 unless given. */
  gain?: number
}

const orthogonalOptions: OptionTypes<OrthogonalOptions> = { gain: 'number', ...initializerOptions }

/**
 * Rows that are orthogonal to each other and of length 1 (columns, where there are fewer of those), of a matrix [out, the rest]:
 * q of the QR factorization of normally distributed numbers, by the signs of r's diagonal. A. Saxe et al., "Exact
 * solutions to the nonlinear dynamics of learning in deep linear neural networks" (2013). PyTorch's `orthogonal_`.
 */
export function orthogonal(shape: Shape, options?: OrthogonalOptions): Tensor {
  const { gain = 1, dtype = 'float32', seed } = checkOptions('orthogonal', options, orthogonalOptions)
  checkAxes('orthogonal', shape, 'a shape [out, in, …window]', (n) => n >= 2)
  checkFinite('orthogonal', 'gain', gain)
  const [rows, columns] = [extentAt(shape, 0), sizeOf(shape.slice(1))]
  const isWide = rows < columns
  const tall = isWide ? [columns, rows] : [rows, columns]
  const { q, r } = qr(randn(tall, { dtype, ...(seed === undefined ? {} : { seed }) }))
  const signed = q.mul(sign(diagonal(r)))
  return (isWide ? signed.transpose() : signed).mul(gain).reshape(shape)
}

export interface SparseOptions extends InitializerOptions {
  /** Which part of each column is 0, rounded up to whole elements: from 0 to 1. */
  sparsity: number
  /** Of the others, which are normally distributed; 0.01 unless given. */
  std?: number
}

const sparseOptions: OptionTypes<SparseOptions> = { sparsity: 'number', std: 'number', ...initializerOptions }

/**
 * Normally distributed, but for some elements of each column of a matrix, drawn at random, which are 0. J. Martens, "Deep
 * learning via Hessian-free optimization" (2010). PyTorch's `sparse_`.
 */
export function sparse(shape: Shape, options: SparseOptions): Tensor {
  const given = requireOptions('sparse', options, sparseOptions, ['sparsity'])
  const { sparsity, std = 0.01, dtype = 'float32', seed } = given
  const [rows] = checkAxes('sparse', shape, 'a shape [out, in]', (n) => n === 2) as [number, number]
  checkNumber('sparse', 'a sparsity from 0 to 1', sparsity, (x) => x >= 0 && x <= 1)
  const zeros = checkInteger('sparse', 'zeros', Math.ceil(sparsity * rows))
  const values = randn(shape, { std, dtype, ...(seed === undefined ? {} : { seed }) })
  const order = argsort(uniform(shape, seed === undefined ? {} : { seed: nextSeed(seed) }), { axis: 0 })
  return where(greaterEqual(order, zeros), values, 0)
}
