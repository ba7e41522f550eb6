/** Gradients against numeric derivatives in float64, the proof that the check can fail, and the values at kinks. */
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { setBackend } from '../../lib/backend/active.ts'
import { type DType, isFloat } from '../../lib/base/dtype.ts'
import { GradientError } from '../../lib/base/errors.ts'
import { gradients as gradientsOfNodes } from '../../lib/graph/autograd.ts'
import { type Node, type OpDef, record } from '../../lib/graph/node.ts'
import { div, elementwiseOps, exp, mul, neg } from '../../lib/graph/ops/elementwise.ts'
import { graphOps } from '../../lib/graph/ops/index.ts'
import { stopGradient } from '../../lib/graph/ops/leaf.ts'
import { tensor } from '../../lib/tensor/creation.ts'
import type { NestedArray } from '../../lib/tensor/nested.ts'
import { nodeOf, type Tensor, wrap } from '../../lib/tensor/tensor.ts'
import type { TensorValues } from '../../lib/tensor/values.ts'
import { checkGradients } from '../../lib/transforms/check-gradients.ts'
import { gradients } from '../../lib/transforms/gradients.ts'
import { checkRows, leavesOf, type OpCase, outputsOf } from '../support/cases.ts'
import { cases } from './cases.ts'

beforeAll(() => setBackend('reference'))

/** The row as a function of its float operands alone; integers stay what they are. */
function ofFloats({ f }: OpCase, leaves: readonly Tensor[]): (...floats: Tensor[]) => Tensor {
  return (...floats) => {
    let next = 0
    return f(...leaves.map((x) => (isFloat(x.dtype) ? floats[next++]! : x))) as Tensor
  }
}

const differentiable = Object.entries(cases).flatMap(([name, rows]) => {
  const chosen = rows.filter((row) => row.differentiable)
  return chosen.length > 0 ? [[name, chosen] as const] : []
})

describe('first and second derivatives are those of the function', () => {
  test.each(differentiable)('%s', (_, rows) =>
    checkRows(rows, (row) => {
      const leaves = leavesOf(row)
      const floats = leaves.filter(({ dtype }) => isFloat(dtype))
      checkGradients(ofFloats(row, leaves), floats, { order: 2 })
    }),
  )
})

type Rule = NonNullable<OpDef<null>['vjp']>

/** Operations that the check cannot speak of: their gradients are tested among the kinks, and those of a surrogate as activations. */
const uncheckable: readonly string[] = [
  'cast', // The check is in one dtype.
  'drawn', // It refuses.
  'stopGradient', // It has no gradient.
  'surrogateStep', // Its rule is the derivative of another function.
]

test('every operation with a rule gives a gradient in a row where gradients are checked', () => {
  const rules = (Object.values(graphOps) as OpDef<never>[]).filter(
    (def): def is OpDef<never> & { vjp: Rule } => 'vjp' in def,
  )
  const spies = rules.map((def) => vi.spyOn(def, 'vjp'))
  for (const row of differentiable.flatMap(([, rows]) => rows)) {
    const leaves = leavesOf(row)
    const floats = leaves.filter(({ dtype }) => isFloat(dtype)).map(nodeOf)
    for (const y of outputsOf(row, leaves)) gradientsOfNodes(nodeOf(y), floats)
  }
  const gave = spies.map(({ mock }) => mock.results.some(({ value }) => value.some((x: Node | null) => x !== null)))
  for (const spy of spies) spy.mockRestore()
  const missing = rules.filter((_, i) => !gave[i]).map(({ name }) => name)
  expect(missing.sort()).toEqual(uncheckable)
})

test('every list of rows has one', () => {
  for (const [name, rows] of Object.entries(cases)) expect(rows.length, name).toBeGreaterThan(0)
})

describe('the check fails on a wrong rule', () => {
  const wrongUnary = (name: 'exp' | 'square', vjp: Rule) => (x: Tensor) =>
    wrap(record({ ...elementwiseOps[name], vjp }, [nodeOf(x)], null))
  const wrongDiv = (vjp: Rule) => (x: Tensor, y: Tensor) =>
    wrap(record({ ...elementwiseOps.div, vjp }, [nodeOf(x), nodeOf(y)], null))
  const x = [
    [0.5, -1, 2],
    [1.5, 0.25, -0.75],
  ]
  const y = [
    [2, 1.5, -1],
    [0.5, 3, 2],
  ]

  test.each<[string, (...xs: Tensor[]) => Tensor, TensorValues[]]>([
    ['a factor too much', wrongUnary('exp', (ct, node) => [mul(mul(ct, node), 2)]), [x]],
    ['a relative error of 1e-4', wrongUnary('exp', (ct, node) => [mul(mul(ct, node), 1.0001)]), [x]],
    ['a missing factor', wrongUnary('square', (ct, { inputs: [a] }) => [mul(ct, a as Node)]), [x]],
    ['the cotangent forgotten', wrongUnary('exp', (_ct, node) => [node]), [x]],
    ['no gradient', wrongUnary('exp', () => [null]), [x]],
    ['a sign', wrongDiv((ct, { inputs: [a, b] }) => [div(ct, b!), mul(ct, div(a!, mul(b!, b!)))]), [x, y]],
    [
      'operands exchanged',
      wrongDiv((ct, { inputs: [a, b] }) => [neg(mul(ct, div(a!, mul(b!, b!)))), div(ct, b!)]),
      [x, y],
    ],
    ['a kink in the middle', (a) => a.relu(), [[0, 1]]],
    ['not a number', (a) => a.log(), [[-1, 1]]],
  ])('%s', (_, f, xs) => {
    expect(() => checkGradients(f, xs)).toThrow(GradientError)
  })

  test('a rule that is right, but whose own gradient is lost, fails at order 2 alone', () => {
    const f = wrongUnary('exp', (ct, { inputs: [a] }) => [mul(ct, stopGradient(exp(a as Node)))])
    expect(() => checkGradients(f, [x])).not.toThrow()
    expect(() => checkGradients(f, [x], { order: 2 })).toThrow(/second derivative/)
  })
})

interface Kink {
  readonly f: (...xs: Tensor[]) => Tensor
  readonly at: readonly number[][]
  readonly gradients: NestedArray
}

const slopeOfLeakyRelu = 0.25

/** Where a derivative does not exist, or where its formula is 0 · ∞: what PyTorch gives. */
const kinks: Readonly<Record<string, Kink>> = {
  'relu is flat at 0': { f: (x) => x.relu(), at: [[-1, 0, 1]], gradients: [[0, 0, 1]] },
  'leakyRelu has its slope at 0': {
    f: (x) => x.leakyRelu(slopeOfLeakyRelu),
    at: [[-1, 0, 1]],
    gradients: [[slopeOfLeakyRelu, slopeOfLeakyRelu, 1]],
  },
  'elu has its alpha at 0': {
    f: (x) => x.elu(1.5),
    at: [[-1, 0, 1]],
    gradients: [[1.5 * Math.exp(-1), 1.5, 1]],
  },
  'the exponential of an elu not taken does not overflow': {
    f: (x) => gradients(x.elu().sum(), [x])[0]!,
    at: [[1000, -1]],
    gradients: [[0, Math.exp(-1)]],
  },
  'abs is flat at 0': { f: (x) => x.abs(), at: [[-2, 0, -0, 2]], gradients: [[-1, 0, 0, 1]] },
  'step is flat everywhere': { f: (x) => x.step(), at: [[-1, 0, 1]], gradients: [[0, 0, 0]] },
  'sign is flat everywhere': { f: (x) => x.sign(), at: [[-1, 0, 1]], gradients: [[0, 0, 0]] },
  'sqrt is vertical at 0': { f: (x) => x.sqrt(), at: [[0, 4]], gradients: [[Infinity, 0.25]] },
  'log is vertical at 0': { f: (x) => x.log(), at: [[0, 4]], gradients: [[Infinity, 0.25]] },
  'maximum halves at a tie': {
    f: (x, y) => x.maximum(y),
    at: [
      [1, 2, 3],
      [2, 2, 2],
    ],
    gradients: [
      [0, 0.5, 1],
      [1, 0.5, 0],
    ],
  },
  'minimum halves at a tie': {
    f: (x, y) => x.minimum(y),
    at: [
      [1, 2, 3],
      [2, 2, 2],
    ],
    gradients: [
      [1, 0.5, 0],
      [0, 0.5, 1],
    ],
  },
  'a value against itself halves twice': { f: (x) => x.maximum(x), at: [[1, 2]], gradients: [[1, 1]] },
  'max shares ties evenly': {
    f: (x) => x.max(),
    at: [[3, 1, 3, 3, 0, 3]],
    gradients: [[0.25, 0, 0.25, 0.25, 0, 0.25]],
  },
  'min shares ties evenly': { f: (x) => x.min(), at: [[3, 1, 3, 1, 2, 2]], gradients: [[0, 0.5, 0, 0.5, 0, 0]] },
  'norm is flat at 0': { f: (x) => x.norm(), at: [[0, 0, 0]], gradients: [[0, 0, 0]] },
  'a power of base 0': {
    f: (x, y) => x.pow(y),
    at: [
      [0, 0, 0, 0],
      [2, 1, 0.5, 0],
    ],
    gradients: [
      [0, 1, Infinity, 0],
      [0, 0, 0, 0],
    ],
  },
  'an exponent of 0': {
    f: (x, y) => x.pow(y),
    at: [
      [2, 1, 0.5],
      [0, 0, 0],
    ],
    gradients: [
      [0, 0, 0],
      [Math.log(2), 0, Math.log(0.5)],
    ],
  },
  'a constant power of a negative base': { f: (x) => x.pow(3), at: [[-2, 0]], gradients: [[12, 0]] },
  'a choice not taken passes nothing on': {
    f: (x, y) => x.greater(0).where(x, y),
    at: [
      [1, -1],
      [5, 6],
    ],
    gradients: [
      [1, 0],
      [0, 1],
    ],
  },
  'a cast hands its cotangent back': {
    f: (x) => x.cast('float64').square().cast('float32'),
    at: [[3, -4]],
    gradients: [[6, -8]],
  },
  'a cast to integers passes nothing on': {
    f: (x) => x.cast('int32').cast(x.dtype).add(x),
    at: [[3.5, -4]],
    gradients: [[1, 1]],
  },
  'stopGradient ends the path': { f: (x) => x.mul(x.stopGradient()), at: [[3, 4]], gradients: [[3, 4]] },
}

const dtypes: readonly DType[] = ['float32', 'float64']

describe.each(dtypes)('kinks in %s', (dtype) => {
  test.each(Object.entries(kinks))('%s', (_, { f, at, gradients: wanted }) => {
    const xs = at.map((values) => tensor(values, { dtype }))
    const found = gradients(f(...xs), xs)
    const precision = dtype === 'float32' ? 6 : 12
    found.forEach((gradient, i) => {
      gradient.dataSync().forEach((x, j) => {
        const value = (wanted as number[][])[i]![j]!
        if (Number.isFinite(value)) expect(x, `argument ${i}, element ${j}`).toBeCloseTo(value, precision)
        else expect(x, `argument ${i}, element ${j}`).toBe(value)
      })
    })
  })
})
