/** Operations of keras.ops that stand in a functional model among its layers: `x + y` is one. */
import * as g from '../../operations/index.ts'
import { Tensor } from '../../tensor/tensor.ts'
import type { Given, Make } from '../layer.ts'

type Operand = Tensor | number

function operandsOf(given: Given): [Operand, Operand] {
  const operand = (place: number, name: string): Operand => {
    const value = given.get(place, name)
    return value instanceof Tensor || typeof value === 'number'
      ? value
      : given.config.fail(`a tensor or a number as ${name}`, value)
  }
  return [operand(0, 'x1'), operand(1, 'x2')]
}

const binary =
  (apply: (a: Operand, b: Operand) => Tensor): Make =>
  () => ({ forward: (_, given) => apply(...operandsOf(given)) })

const unary =
  (apply: (x: Tensor) => Tensor): Make =>
  () => ({ forward: (_, { floats }) => apply(floats), keepsMask: true })

const reduction =
  (apply: (x: Tensor, axes: number[] | undefined, keepDims: boolean) => Tensor): Make =>
  (config) => ({
    forward(_, given) {
      const axis = given.get(1, 'axis') ?? config.get('axis')
      const axes = axis === undefined ? undefined : [axis].flat().map(Number)
      return apply(given.x, axes, (given.kwargs.keepdims ?? config.get('keepdims')) === true)
    },
  })

export const operationLayers = {
  Add: binary((a, b) => g.add(a, b)),
  Subtract: binary((a, b) => g.sub(a, b)),
  Multiply: binary((a, b) => g.mul(a, b)),
  Divide: binary((a, b) => g.div(a, b)),
  TrueDivide: binary((a, b) => g.div(a, b)),
  Power: binary((a, b) => g.pow(a, b)),
  Maximum: binary((a, b) => g.maximum(a, b)),
  Minimum: binary((a, b) => g.minimum(a, b)),
  Matmul: binary((a, b) => g.matmul(a, b)),
  Equal: binary((a, b) => g.equal(a, b)),
  NotEqual: binary((a, b) => g.notEqual(a, b)),
  Greater: binary((a, b) => g.greater(a, b)),
  GreaterEqual: binary((a, b) => g.greaterEqual(a, b)),
  Less: binary((a, b) => g.less(a, b)),
  LessEqual: binary((a, b) => g.lessEqual(a, b)),
  LogicalAnd: binary((a, b) => g.logicalAnd(a, b)),
  LogicalOr: binary((a, b) => g.logicalOr(a, b)),
  Absolute: unary((x) => g.abs(x)),
  Abs: unary((x) => g.abs(x)),
  Negative: unary((x) => x.neg()),
  Exp: unary((x) => x.exp()),
  Log: unary((x) => x.log()),
  Sqrt: unary((x) => x.sqrt()),
  Square: unary((x) => x.square()),
  Relu: unary((x) => x.relu()),
  Sigmoid: unary((x) => x.sigmoid()),
  Tanh: unary((x) => x.tanh()),
  Any: reduction((x, axes, keepDims) => g.any(x, axes, { keepDims })),
  All: reduction((x, axes, keepDims) => g.all(x, axes, { keepDims })),
  Mean: reduction((x, axes, keepDims) => g.mean(x, axes, { keepDims })),
  Sum: reduction((x, axes, keepDims) => g.sum(x, axes, { keepDims })),
  Max: reduction((x, axes, keepDims) => g.max(x, axes, { keepDims })),
  Min: reduction((x, axes, keepDims) => g.min(x, axes, { keepDims })),
} satisfies Record<string, Make>
