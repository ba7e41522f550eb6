/** Outputs and gradients of the public operations against PyTorch; test/fixtures/make_fixtures.py made the numbers. */
import * as g from '../../lib/index.ts'
import { describeFixtures, type Operation as OperationOf } from '../support/fixtures.ts'

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

type Operation = OperationOf<Params>

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

describeFixtures('operations.json', operations)
