/** Rows of the optimizer updates. */

import type { Shape } from '../../../lib/base/shape.ts'
import * as updates from '../../../lib/operations/updates.ts'
import type { Tensor } from '../../../lib/tensor/tensor.ts'
import { type CaseContract, type OpCase, type Operand, operand, shapesOf } from '../../support/cases.ts'

const shapes = shapesOf('. 0 1 17 130 1023 33,17 99991')

/** A handful of roundings of numbers no greater than 4, in whichever order. */
const contract: CaseContract = { depth: 4, magnitude: (p) => p.abs().add(4) }

const learningRate: Operand = operand([], [0.05])

const positive = (shape: Shape): Operand => operand(shape, { low: 0, high: 2 })

const momentumRows = (options: { momentum: number; nesterov: boolean }): OpCase[] =>
  shapes.map((shape) => ({
    note: JSON.stringify(options),
    inputs: [operand(shape), operand(shape), operand(shape), learningRate],
    f: (parameter, gradient, velocity, learningRate) =>
      Object.values(updates.momentum({ parameter, gradient, velocity, learningRate }, options)),
    contract,
  }))

const adamOf =
  (options: updates.AdamUpdateOptions) =>
  (...[parameter, gradient, firstMoment, secondMoment, learningRate, step]: readonly Tensor[]): Tensor[] => {
    const state = { firstMoment: firstMoment!, secondMoment: secondMoment! }
    const operands = { parameter: parameter!, gradient: gradient!, ...state, learningRate: learningRate!, step: step! }
    return Object.values(updates.adam(operands, options))
  }

const standard = { weightDecay: 0 }

const adamRow = (
  shape: Shape,
  step: number,
  options: updates.AdamUpdateOptions,
  part: Partial<OpCase> = {},
): OpCase => ({
  note: `step ${step}, decay ${options.weightDecay}`,
  inputs: [operand(shape), operand(shape), operand(shape), positive(shape), learningRate, operand([], [step])],
  f: adamOf(options),
  contract,
  ...part,
})

const sgdRow = (shape: Shape, part: Partial<OpCase> = {}): OpCase => ({
  inputs: [operand(shape), operand(shape), learningRate],
  f: (parameter, gradient, learningRate) => updates.sgd({ parameter, gradient, learningRate }).parameter,
  contract,
  ...part,
})

export const optimizerCases = {
  sgd: [
    ...shapes.map((shape) => sgdRow(shape)),
    sgdRow([17, 17], {
      note: 'a transposed gradient',
      f: (parameter, g, learningRate) => updates.sgd({ parameter, gradient: g.transpose(), learningRate }).parameter,
    }),
  ],
  momentum: [
    { momentum: 0.9, nesterov: false },
    { momentum: 0.5, nesterov: true },
  ].flatMap(momentumRows),
  adam: [
    ...shapes.map((shape) => adamRow(shape, 3, standard)),
    ...[1, 10, 1000, 100000].map((step) => adamRow([130], step, { ...standard, weightDecay: 0.1 })),
    adamRow([20], 1, standard, {
      note: 'nothing has a gradient',
      f: (p, g, m, v, lr, step) => adamOf(standard)(p, g.mul(0), m.mul(0), v.mul(0), lr, step),
    }),
  ],
  output: [adamRow([17], 2, standard, { note: 'the moments alone', f: (...xs) => adamOf(standard)(...xs).slice(1) })],
} satisfies Record<string, readonly OpCase[]>
