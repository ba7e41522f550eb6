/** Arguments as a user would give them, by the declared types of parameters. */
import * as g from '../../../lib/index.ts'
import type { Random } from '../random.ts'
import type { Parameter } from './surface.ts'

const tensors: readonly (() => g.Tensor)[] = [
  () =>
    g.tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]),
  () => g.tensor([0.25, 0.5, 0.75]),
  () =>
    g.tensor([
      [2, 0.5, 0],
      [0.5, 2, 0],
      [0, 0, 1],
    ]),
  () =>
    g.tensor([
      [2, 0.5, 0],
      [0.5, 2, 0],
      [0, 0, 1],
    ]),
  () => g.tensor(0.5),
  () => g.tensor([0, 1, 2], { dtype: 'int32' }),
  () => g.tensor([1, 0], { dtype: 'int32' }),
  () =>
    g.tensor([
      [true, false, true],
      [false, true, true],
    ]),
  () => g.ones([1, 2, 6, 6]),
  () => g.ones([3, 2, 2, 2]),
  () => g.ones([1, 2, 8]),
  () => g.ones([2, 4]),
  () => g.ones([1, 1, 4, 4, 4]),
]

const functions: readonly (() => (...args: never[]) => unknown)[] = [
  () => (x: g.Tensor) => x,
  () => (x: g.Tensor) => g.mul(x, x).sum(),
  () => () => g.variable(2).square(),
  () => (x: g.Tensor, y: g.Tensor) => [x, y],
  () => () => 1,
]

const lists: Readonly<Record<string, (random: Random) => unknown>> = {
  Shape: (random) => random.pick([[2, 3], [6], [3, 2], [2, 2], [1]]),
  'readonly number[]': (random) => random.pick([[0], [1], [0, 1], [1, 0], [2, 3], [1, 1, 1]]),
  'readonly TensorValues[]': (random) =>
    random.pick([
      [1, 2, 3],
      [
        [1, 2],
        [3, 4],
      ],
      [0, 1],
      [[0.5]],
    ]),
  'readonly TensorLike[]': (random) =>
    random.pick([
      [g.ones([2, 3]), g.ones([2, 3])],
      [
        [1, 2],
        [3, 4],
      ],
    ]),
  'readonly Variable[]': () => [g.variable(1)],
  'readonly Tensor[]': () => [g.ones([2, 3])],
}

const objects: Readonly<Record<string, (random: Random) => unknown>> = {
  Optimizer: () => g.optim.sgd({ learningRate: 0.1 }),
  RandomStream: () => g.randomStream(1),
  RegExp: () => /w/,
}

function made(name: string, type: string, random: Random): unknown {
  if (/^".*"$/.test(type)) return JSON.parse(type)
  if (type === 'number')
    return /axis|axes|dim/i.test(name) ? random.pick([0, 1, -1]) : random.pick([1, 2, 3, 0, 0.5, 4, 8])
  if (type === 'true' || type === 'false') return type === 'true'
  if (type === 'boolean') return random.oneIn(2)
  if (type === 'string') return random.pick(['x', '0', 'ij,jk->ik', 'relu'])
  if (type === 'Tensor') return random.pick(tensors)()
  if (type === 'Variable') return g.variable([1, 2])
  if (type === 'undefined' || type === 'void') return undefined
  if (type === 'null') return null
  if (type.startsWith('Float32Array')) return Float32Array.of(1, 2, 3)
  if (type.startsWith('readonly [')) return type.split(',').map(() => random.pick([1, 2]))
  const ready = lists[type] ?? Object.entries(objects).find(([known]) => type.startsWith(known))?.[1]
  if (ready !== undefined) return ready(random)
  if (/=>/.test(type)) return random.pick(functions)()
  return undefined
}

/** A value of one of the types; of options, mostly none, sometimes some. */
export function argumentFor(parameter: Parameter, random: Random): unknown {
  const { name, kinds, types, properties } = parameter
  if (kinds === null) return random.pick([random.pick(tensors), random.pick(functions)])()
  if (kinds.has('undefined') && random.oneIn(2)) return undefined
  // Tensors are what most parameters are about, and the names of typed arrays are many.
  if (kinds.has('tensor') && !random.oneIn(5)) return random.pick(tensors)()
  const names = Object.keys(properties)
  if (names.length > 0 && kinds.has('object')) return optionsOf(parameter, random)
  if (kinds.has('function') && random.oneIn(2)) return random.pick(functions)()
  return made(name, random.pick(types), random)
}

function optionsOf({ properties }: Parameter, random: Random): Record<string, unknown> {
  const options: Record<string, unknown> = {}
  for (const [name, property] of Object.entries(properties)) {
    const isRequired = property.kinds !== null && !property.kinds.has('undefined')
    if (!isRequired && !random.oneIn(4)) continue
    options[name] = argumentFor({ ...property, properties: {} }, random)
  }
  return options
}
