/** Random graphs that read numbers, of every dtype: the same choices with other numbers may be the same structure. */
import type { DType } from '../../lib/base/dtype.ts'
import { add, concat, div, full, mul, sub } from '../../lib/index.ts'
import { tensor } from '../../lib/tensor/creation.ts'
import { evaluateSync, type Tensor } from '../../lib/tensor/tensor.ts'
import { randomData } from './random-data.ts'
import type { Tape } from './tape.ts'

/** Among them what dtypes round, fold to another number, do not hold, or leave as it is. */
const numbers = [
  0,
  -0,
  1,
  -1,
  2,
  3,
  0.5,
  0.1,
  -1.5,
  NaN,
  Infinity,
  -Infinity,
  255,
  256,
  -7,
  2 ** 24 + 1,
  2 ** 31 - 1,
  2 ** 31,
  -(2 ** 31),
  2 ** 53 + 2,
  2 ** 53 - 1,
  1e-45,
  1e-310,
  3.4e38,
  1e300,
]

/** The next number. */
type Next = () => number

const unary: readonly ((x: Tensor, next: Next) => Tensor)[] = [
  (x, next) => x.add(next()),
  (x, next) => x.mul(next()),
  (x, next) => x.div(next()),
  (x, next) => x.sub(next()),
  (x, next) => sub(next(), x),
  (x, next) => div(next(), x),
  (x, next) => x.mul(next()).tanh(),
  (x, next) => x.mul(next()).relu(),
  (x, next) => x.mul(next()).leakyRelu(0.25),
  (x, next) => x.pow(next()),
  (x, next) => x.maximum(next()),
  (x, next) => x.clamp(next(), next()),
  (x, next) => x.greater(next()).where(x, next()),
  (x, next) => x.equal(next()).cast('float32').mul(next()),
  (x, next) => x.add(mul(next(), next())),
  (x, next) => x.sub(add(div(1, next()), next()).sqrt()),
  (x, next) => x.add(full(x.shape, next())),
  (x, next) => concat([x, full(x.shape, next())]).slice([0, 0], [x.shape[0]!, x.shape[1]!]),
  (x, next) => x.add(full([1], next(), { dtype: 'float64' }).cast('int32')),
  (x, next) => x.sum(1, { keepDims: true }).mul(next()).broadcastTo(x.shape),
  (x, next) => x.mean().div(next()).add(x),
  (x) => x.transpose(),
]

function product(x: Tensor, tape: Tape, next: Next): Tensor {
  const [, inner] = x.shape
  const columns = 1 + tape.below(6)
  const weights = leaf(tape, 'float32', [inner!, columns])
  const scaled = x.cast('float32').matmul(weights).mul(next())
  return tape.oneIn(2) ? scaled.add(leaf(tape, 'float32', [columns])).tanh() : scaled.relu()
}

function convolved(x: Tensor, tape: Tape, next: Next): Tensor {
  const [rows, columns] = x.shape as [number, number]
  const image = x.cast('float32').reshape([1, 1, rows, columns])
  const scaled = image
    .conv2d(leaf(tape, 'float32', [1, 1, 1, 1]))
    .mul(next())
    .add(leaf(tape, 'float32', [1, 1, 1]))
  return scaled.sigmoid().reshape([rows, columns])
}

/** Ordinary numbers, so that what is computed from them is not all NaN. */
const leaf = (tape: Tape, dtype: DType, shape: readonly number[]): Tensor => {
  const size = shape.reduce((a, b) => a * b, 1)
  return tensor(randomData(tape, dtype, size), { dtype, shape: [...shape] })
}

/** A graph by the choices of one tape, with numbers by another one. */
export function numberedGraph(tape: Tape, choose: Tape, dtypes: readonly DType[]): Tensor[] {
  const next = () => choose.pick(numbers)
  const shape = [1 + tape.below(4), 1 + tape.below(5)]
  const values = Array.from({ length: 2 }, () => evaluateSync(leaf(tape, tape.pick(dtypes), shape))[0])
  const count = 1 + tape.below(6)
  for (let i = 0; i < count; i++) {
    const x = values[values.length - 1 - tape.below(2)]!
    const kind = tape.below(8)
    if (kind === 0) values.push(product(x, tape, next))
    else if (kind === 1) values.push(convolved(x, tape, next))
    else values.push(tape.pick(unary)(x, next))
  }
  return values.slice(2)
}
