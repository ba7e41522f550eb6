/** Random numbers. A seed makes a stream; the numbers are this library's own. */
import type { Shape } from '../../base/shape.ts'
import { less } from '../../operations/comparison.ts'
import { cast } from '../../operations/shape.ts'
import { categorical } from '../../tensor/distributions.ts'
import { randn, uniform } from '../../tensor/random.ts'
import { type ElementType, typeOfCode } from '../types.ts'
import type { TensorValue } from '../values.ts'
import type { Call } from './call.ts'
import { type Family, row } from './row.ts'
import { checkWork } from './windows.ts'

/** The seed of an attribute, a float of any size, as an option. */
function seedOf(n: Call): { seed?: number } {
  const seed = n.attributes.float('seed', undefined)
  if (seed === undefined || !Number.isFinite(seed)) return {}
  return { seed: Math.abs(Math.trunc(seed * 4096)) % 2 ** 32 }
}

/** The type that an attribute says, or another one. */
function typeFrom(n: Call, otherwise: ElementType): ElementType {
  const code = n.attributes.int('dtype', 0)
  const type = code === 0 ? otherwise : typeOfCode(code)
  if (type === undefined) throw n.attributes.error('dtype', 'the number of a type', code)
  return type
}

const shapeOf = (n: Call): Shape => {
  const shape = n.attributes.ints('shape', [])
  if (shape.some((extent) => extent < 0)) throw n.attributes.error('shape', 'extents of at least 0', `[${shape}]`)
  checkWork(n, shape)
  return shape
}

function normal(n: Call, shape: Shape, type: ElementType): TensorValue {
  const [mean, std] = [n.attributes.float('mean', 0), n.attributes.float('scale', 1)]
  if (!(std >= 0 && std < Number.POSITIVE_INFINITY))
    throw n.attributes.error('scale', 'a finite number of at least 0', std)
  return n.as(type, cast(randn(shape, { mean, std, ...seedOf(n) }), n.dtypeOf(type)))
}

function uniformly(n: Call, shape: Shape, type: ElementType): TensorValue {
  const [min, max] = [n.attributes.float('low', 0), n.attributes.float('high', 1)]
  return n.as(type, cast(uniform(shape, { min, max, ...seedOf(n) }), n.dtypeOf(type)))
}

/** 1 with the probability that each element is. */
function bernoulli(n: Call): TensorValue {
  const x = n.tensor(0)
  const type = typeFrom(n, n.type(0))
  return n.as(type, cast(less(uniform(x.shape, seedOf(n)), x), n.dtypeOf(type)))
}

/** Classes drawn from the logits of each row. */
function multinomial(n: Call): TensorValue {
  const count = n.attributes.int('sample_size', 1)
  if (count < 1) throw n.attributes.error('sample_size', 'a positive integer', count)
  checkWork(n, [...n.shape(0), count])
  const type = typeFrom(n, 'int32')
  return n.as(type, cast(categorical(n.tensor(0), { count, ...seedOf(n) }), n.dtypeOf(type)))
}

export const randomness: Family = {
  RandomNormal: row([1, 22], (n) => normal(n, shapeOf(n), typeFrom(n, 'float'))),
  RandomNormalLike: row([1, 22], (n) => normal(n, n.shape(0), typeFrom(n, n.type(0)))),
  RandomUniform: row([1, 22], (n) => uniformly(n, shapeOf(n), typeFrom(n, 'float'))),
  RandomUniformLike: row([1, 22], (n) => uniformly(n, n.shape(0), typeFrom(n, n.type(0)))),
  Bernoulli: row([15, 22], bernoulli),
  Multinomial: row([7, 22], multinomial),
}
