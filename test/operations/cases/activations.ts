/** Rows of the activations that are made of other operations, and of the step with a surrogate gradient. */

import type { Shape } from '../../../lib/base/shape.ts'
import * as g from '../../../lib/operations/index.ts'
import type { Tensor } from '../../../lib/tensor/tensor.ts'
import { type CaseContract, type OpCase, operand, type Range, shapesOf } from '../../support/cases.ts'
import { specials } from './elementwise.ts'

interface Facts {
  readonly ulps?: number
  /** Where the function is smooth. */
  readonly range?: Range
  /** The row of a wide range reaches from −tail to tail. */
  readonly tail?: number
}

/** Sizes, a view, special values, the tails, and integers. */
function activationRows(
  f: (x: Tensor) => Tensor,
  { ulps = 0, range, tail = 110 }: Facts = {},
  note?: string,
): OpCase[] {
  const contract: CaseContract = { ulps }
  const named = (of: string) => (note === undefined ? of : `${note}, ${of}`)
  const rowOf = (of: string, shape: Shape): OpCase => {
    return { note: named(of), f, contract, differentiable: true, inputs: [operand(shape, range)] }
  }
  return [
    ...shapesOf('. 0 5,17').map((shape) => rowOf('one shape', shape)),
    { ...rowOf('transposed', [5, 17]), f: (x) => f(x!.transpose()) },
    { note: named('special values'), f, contract, inputs: [operand([specials.length], specials)] },
    { note: named('a wide range'), f, contract, inputs: [operand([700], { low: -tail, high: tail })] },
    { note: named('integers'), f, contract, inputs: [operand([19], undefined, 'int32')] },
  ]
}

const away: Range = { low: -2, high: 2, gap: 0.3 }
const within: Range = { low: -0.9, high: 0.9 }

const preluRow = (note: string, x: Shape, slope: Shape): OpCase => ({
  note,
  f: (a, b) => g.prelu(a!, b!),
  contract: { ulps: 0 },
  differentiable: true,
  inputs: [operand(x, away), operand(slope)],
})

const gluRow = (note: string, shape: Shape, f: (x: Tensor) => Tensor): OpCase => ({
  note,
  f,
  contract: { ulps: 4 },
  differentiable: true,
  inputs: [operand(shape)],
})

export const activationCases = {
  step: [
    ...shapesOf('. 0 5,17').map((shape): OpCase => {
      return { f: (x) => g.step(x!), contract: { ulps: 0 }, differentiable: true, inputs: [operand(shape, away)] }
    }),
    {
      note: 'special values',
      f: (x) => g.step(x!),
      contract: { ulps: 0 },
      inputs: [operand([specials.length], specials)],
    },
    { note: 'integers', f: (x) => g.step(x!), contract: { ulps: 0 }, inputs: [operand([19], undefined, 'int32')] },
  ],
  surrogateStep: (['straightThrough', 'fastSigmoid'] as const).map((surrogate) => ({
    note: surrogate,
    f: (x: Tensor) => g.step(x, { surrogate }),
    contract: { ulps: 0 },
    inputs: [operand([specials.length], specials)],
  })),
  hardTanh: [
    ...activationRows((x) => g.hardTanh(x), { range: within }),
    ...activationRows((x) => g.hardTanh(x, { min: -0.5, max: 3 }), { range: { low: -0.4, high: 2.9 } }, 'other bounds'),
  ],
  relu6: activationRows((x) => g.relu6(x), { range: away }),
  hardSigmoid: activationRows((x) => g.hardSigmoid(x)),
  hardSwish: activationRows((x) => g.hardSwish(x)),
  prelu: [
    preluRow('one slope', [5, 17], []),
    preluRow('per column', [5, 17], [17]),
    preluRow('per row', [5, 17], [5, 1]),
    preluRow('empty', [0, 3], [3]),
    {
      note: 'special values',
      f: (x, slope) => g.prelu(x!, slope!),
      contract: { ulps: 0 },
      inputs: [operand([specials.length], specials), operand([1])],
    },
  ],
  celu: [1, 0.3, -1.5].flatMap((alpha) =>
    activationRows((x) => g.celu(x, alpha), { ulps: 4, range: away }, `alpha ${alpha}`),
  ),
  selu: activationRows((x) => g.selu(x), { ulps: 4, range: away }),
  // Below −87 it is x times a denormal number.
  mish: activationRows((x) => g.mish(x), { ulps: 6, tail: 85 }),
  softsign: activationRows((x) => g.softsign(x), { range: away }),
  logSigmoid: activationRows((x) => g.logSigmoid(x), { ulps: 2 }),
  threshold: activationRows((x) => g.threshold(x, 0.1, -7), { range: { low: 0.2, high: 2 } }),
  glu: [
    gluRow('the last axis', [5, 34], (x) => g.glu(x)),
    gluRow('the first axis', [6, 7], (x) => g.glu(x, 0)),
    gluRow('in the middle', [2, 6, 3], (x) => g.glu(x, -2)),
    gluRow('empty', [3, 0], (x) => g.glu(x)),
    gluRow('transposed', [8, 5], (x) => g.glu(x.transpose())),
  ],
} satisfies Record<string, readonly OpCase[]>
