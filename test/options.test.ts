/** Every public function that takes options refuses those that it does not know, by its name; so does what is no options. */
import { describe, expect, test } from 'vitest'
import * as g from '../lib/index.ts'
import { type FunctionWithOptions, functionsWithOptions, type OptionKind } from './support/public-functions.ts'

type Call = (...args: unknown[]) => unknown

const found = functionsWithOptions()

const valueAt = (path: string): Call =>
  path.split('.').reduce<unknown>((value, name) => (value as Record<string, unknown>)[name], g) as Call

/** What comes before the options where they are not what is looked at first. */
const argumentsOf: Readonly<Record<string, readonly unknown[]>> = {
  fit: [g.nn.linear(2, 2), g.data.fromTensors(g.ones([4, 2]), g.ones([4, 2]))],
  ...Object.fromEntries(
    ['train', 'evaluate', 'predict', 'lrFinder', 'overfitOneBatch'].map((name) => [
      name,
      [g.nn.linear(2, 2), g.data.fromTensors(g.ones([4, 2]), g.ones([4, 2]))],
    ]),
  ),
  arange: [0, 1],
  randint: [[2], 1, 5],
  fullLike: [[1], 1],
  onesLike: [[1]],
  zerosLike: [[1]],
  randLike: [[1]],
  randnLike: [[1]],
  adaptiveMaxPool3d: [g.ones([1, 1, 2, 2, 2]), 1],
  cumsum: [[1], 0],
  meshgrid: [[[1], [2]]],
  cumprod: [[1], 0],
  'fft.fftFreq': [8],
  'fft.rfftFreq': [8],
  'nn.Linear': [4, 4],
  'nn.linear': [4, 4],
  'nn.groupNorm': [2, 4],
  'nn.layerNorm': [4],
  'nn.rmsNorm': [4],
  'nn.init.fanInUniform': [[2, 2]],
  'nn.init.glorotUniform': [[2, 2]],
  'nn.init.heUniform': [[2, 2]],
  'nn.init.xavierUniform': [[2, 2]],
  'nn.init.xavierNormal': [[2, 2]],
  'nn.init.kaimingUniform': [[2, 2]],
  'nn.init.kaimingNormal': [[2, 2]],
  'updates.adam': [{}],
  'updates.momentum': [{}],
}

/** The names of a function, of which its messages have one; those of classes are the names of what makes them. */
const namesOf = (value: Call): string[] =>
  found.filter(({ path }) => valueAt(path) === value).map(({ path }) => path.split('.').at(-1)!.toLowerCase())

async function errorOf({ path, before }: FunctionWithOptions, options: unknown): Promise<unknown> {
  const value = valueAt(path)
  const given = Object.entries(argumentsOf).find(([name]) => valueAt(name) === value)?.[1]
  const first = given?.slice(0, before) ?? Array.from({ length: before }, () => undefined)
  const args = [...first, ...Array.from({ length: before - first.length }, () => 1), options]
  try {
    const isClass = /^class\b/.test(Function.prototype.toString.call(value))
    await (isClass ? Reflect.construct(value, args) : value(...args))
  } catch (error) {
    return error
  }
  return undefined
}

async function expectRefusal(of: FunctionWithOptions, options: unknown, what: string) {
  const error = await errorOf(of, options)
  expect(error, `${of.path} threw`).toBeInstanceOf(TypeError)
  const [, name] = (error as Error).message.match(/^(?:[\w.]*\.)?(\w+): /) ?? []
  expect(namesOf(valueAt(of.path)), (error as Error).message).toContain(name?.toLowerCase())
  expect((error as Error).message).toContain(what)
}

const wrong: Readonly<Record<Exclude<OptionKind, 'other'>, unknown>> = {
  boolean: 7,
  number: 'seven',
  string: 7,
  dtype: 'float',
  function: 7,
}

test('the compiler finds them', () => {
  expect(found.length).toBeGreaterThan(100)
  expect(found.map(({ path }) => path)).toEqual(expect.arrayContaining(['sum', 'nn.linear', 'optim.adam', 'fit']))
})

describe.each(found.map((each) => [`${each.path}, argument ${each.before + 1}`, each] as const))('%s', (_, of) => {
  test('an unknown name', () => expectRefusal(of, { notAnOption: 1 }, 'unknown option notAnOption'))

  test('no options', async () => {
    // A list after another one is a second vector.
    const list = of.path === 'meshgrid' ? [] : [[1]]
    for (const value of ['text', null, ...list, () => {}]) await expectRefusal(of, value, 'options')
  })

  test('another type', async () => {
    for (const [name, kind] of Object.entries(of.options))
      if (kind !== 'other') await expectRefusal(of, { [name]: wrong[kind] }, kind === 'dtype' ? 'a dtype' : name)
  })
})

test('the inputs of layers of attention', () => {
  const x = g.ones([1, 2, 4])
  const inputs = { attentionMask: true } as never
  expect(() => g.nn.multiHeadAttention(4, 2).forward(x, inputs)).toThrow('multiHeadAttention: unknown option')
  expect(() => g.nn.transformerEncoderLayer(4, 2).forward(x, inputs)).toThrow('transformerEncoderLayer: unknown option')
  expect(() => g.nn.multiHeadAttention(4, 2).forward(x, x as never)).toThrow('multiHeadAttention: expected options')
})

test('the options of inspect, which are an argument more than the function has', () => {
  const square = (x: g.Tensor) => x.square()
  const inspect = g.inspect as Call
  expect(() => inspect(square, g.ones([2]), { profil: true })).toThrow(
    'inspect: unknown option profil; did you mean profile?',
  )
  expect(() => inspect(square, g.ones([2]), { profile: 1 })).toThrow('inspect: expected profile to be a boolean, got 1')
})
