/** Outputs and gradients of the public operations against PyTorch; test/fixtures/make_fixtures.py made the numbers. */
import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { backendNames } from '../support/backends.ts'

interface Numbers {
  readonly shape: number[]
  /** What JSON has no number for is a string that Number() understands. */
  readonly data: readonly (number | string | boolean)[]
}

interface Params {
  readonly exponent: number
  readonly slope: number
  readonly alpha: number
  readonly approximate: 'none' | 'tanh'
  readonly axes: number[]
  readonly axis: number
  readonly keepDims: boolean
  readonly reduction: 'mean' | 'none'
  readonly start: number[]
  readonly size: number[]
  readonly shape: number[]
}

interface Fixture {
  readonly name: string
  readonly note?: string
  readonly params: Partial<Params>
  readonly inputs: readonly (Numbers & { dtype: 'float64' | 'int32' | 'bool' })[]
  readonly cotangent: Numbers
  readonly output: Numbers
  /** Of each input; null where none is asked for. */
  readonly gradients: readonly (Numbers | null)[]
}

const fixtures: readonly Fixture[] = JSON.parse(
  readFileSync(new URL('../fixtures/operations.json', import.meta.url), 'utf8'),
)

type Operation = (xs: readonly g.Tensor[], params: Params) => g.Tensor

const unary =
  (f: (x: g.Tensor) => g.Tensor): Operation =>
  ([x]) =>
    f(x!)
const binary =
  (f: (x: g.Tensor, y: g.Tensor) => g.Tensor): Operation =>
  ([x, y]) =>
    f(x!, y!)
const reduction =
  (f: typeof g.sum): Operation =>
  ([x], { axes, keepDims }) =>
    f(x!, axes, { keepDims })
const loss =
  (f: typeof g.losses.crossEntropy): Operation =>
  ([x, y], { reduction }) =>
    f(x!, y!, { reduction })

const operations: Readonly<Record<string, Operation>> = {
  add: binary(g.add),
  sub: binary(g.sub),
  mul: binary(g.mul),
  div: binary(g.div),
  neg: unary(g.neg),
  square: unary(g.square),
  sqrt: unary(g.sqrt),
  exp: unary(g.exp),
  log: unary(g.log),
  abs: unary(g.abs),
  pow: ([x, y], { exponent }) => g.pow(x!, y ?? exponent),
  maximum: binary(g.maximum),
  minimum: binary(g.minimum),
  where: ([condition, x, y]) => g.where(condition!, x!, y!),
  sigmoid: unary(g.sigmoid),
  tanh: unary(g.tanh),
  relu: unary(g.relu),
  leakyRelu: ([x], { slope }) => g.leakyRelu(x!, slope),
  softplus: unary(g.softplus),
  silu: unary(g.silu),
  elu: ([x], { alpha }) => g.elu(x!, alpha),
  gelu: ([x], { approximate }) => g.gelu(x!, { approximate }),
  expm1: unary(g.expm1),
  log1p: unary(g.log1p),
  sin: unary(g.sin),
  cos: unary(g.cos),
  rsqrt: unary(g.rsqrt),
  reciprocal: unary(g.reciprocal),
  erf: unary(g.erf),
  matmul: binary(g.matmul),
  sum: reduction(g.sum),
  mean: reduction(g.mean),
  max: reduction(g.max),
  norm: reduction(g.norm),
  softmax: ([x], { axis }) => g.softmax(x!, axis),
  logSoftmax: ([x], { axis }) => g.logSoftmax(x!, axis),
  crossEntropy: loss(g.losses.crossEntropy),
  binaryCrossEntropy: loss(g.losses.binaryCrossEntropy),
  meanSquaredError: loss(g.losses.meanSquaredError),
  gather: binary(g.gather),
  scatterAdd: ([x, indices, updates]) => g.scatterAdd(x!, indices!, updates!),
  slice: ([x], { start, size }) =>
    g.slice(
      x!,
      start,
      start.map((first, axis) => first + size[axis]!),
    ),
  concat: (xs, { axis }) => g.concat(xs, axis),
  transpose: ([x], { axes }) => g.transpose(x!, axes),
  reshape: ([x], { shape }) => g.reshape(x!, shape),
  broadcastTo: ([x], { shape }) => g.broadcastTo(x!, shape),
}

const toTensor = ({ shape, data }: Numbers, dtype: g.DType): g.Tensor => g.tensor(data.map(Number), { shape, dtype })

/** Every element within the tolerance, relative above 1; an infinity is itself. */
function expectNumbers(actual: g.Tensor, expected: Numbers, tolerance: number, what: string): void {
  expect(actual.shape, what).toEqual(expected.shape)
  actual.dataSync().forEach((x, i) => {
    const wanted = Number(expected.data[i])
    if (Object.is(x, wanted)) return
    const text = `${what}, element ${i}: expected ${wanted}, got ${x}`
    expect(Math.abs(x - wanted), text).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(wanted)))
  })
}

const title = ({ name, note, inputs }: Fixture): string =>
  `${name} ${inputs.map(({ shape }) => `[${shape}]`).join(' ')}${note === undefined ? '' : `: ${note}`}`

describe.each([
  ['float64', 'reference', 1e-12] as const,
  ...backendNames.map((backend) => ['float32', backend, 2e-6] as const),
])('%s on the %s backend agrees with PyTorch', (dtype, backend, tolerance) => {
  beforeAll(() => g.setBackend(backend))

  test.each(fixtures.map((fixture) => [title(fixture), fixture] as const))('%s', (_, fixture) => {
    const xs = fixture.inputs.map((x) => toTensor(x, x.dtype === 'float64' ? dtype : x.dtype))
    const y = operations[fixture.name]!(xs, fixture.params as Params)
    const wanted = fixture.gradients.flatMap((gradient, i) => (gradient === null ? [] : [{ gradient, x: xs[i]! }]))
    const found = g.gradients(
      y,
      wanted.map(({ x }) => x),
      toTensor(fixture.cotangent, dtype),
    )
    expectNumbers(y, fixture.output, tolerance, 'output')
    wanted.forEach(({ gradient }, i) => {
      expectNumbers(found[i]!, gradient, tolerance, `gradient ${i}`)
    })
  })
})
