/** Reductions over the middle axis of x[outer, reduced, inner]. */
import type { InstructionParams } from '../../program/instructions.ts'
import type { ReductionName } from '../../program/vocabulary.ts'
import type { Indices, Numbers } from './loop.ts'

interface Reducer {
  readonly initial: number
  readonly combine: (a: number, b: number) => number
}

const floatReducers: { readonly [K in ReductionName]: Reducer } = {
  sum: { initial: 0, combine: (a, b) => a + b },
  max: { initial: -Infinity, combine: Math.max },
  min: { initial: Infinity, combine: Math.min },
  prod: { initial: 1, combine: (a, b) => a * b },
}

const integerReducers: { readonly [K in ReductionName]: Reducer } = {
  sum: { initial: 0, combine: (a, b) => (a + b) | 0 },
  max: { initial: -(2 ** 31), combine: Math.max },
  min: { initial: 2 ** 31 - 1, combine: Math.min },
  prod: { initial: 1, combine: Math.imul },
}

export function reduce(p: InstructionParams['reduce'], [x]: readonly [Numbers], [out]: readonly [Numbers]): void {
  const { initial, combine } = (x instanceof Int32Array ? integerReducers : floatReducers)[p.kind]
  const row = new Float64Array(p.inner)
  for (let o = 0; o < p.outer; o++) {
    row.fill(initial)
    for (let r = 0; r < p.reduced; r++) {
      const start = (o * p.reduced + r) * p.inner
      for (const [i, reduced] of row.entries()) row[i] = combine(reduced, x[start + i]!)
    }
    out.set(row, o * p.inner)
  }
}

export function argmax(p: InstructionParams['argmax'], [x]: readonly [Numbers], [out]: readonly [Indices]): void {
  for (let o = 0; o < p.outer; o++) {
    for (let i = 0; i < p.inner; i++)
      out[o * p.inner + i] = firstGreatest(x, o * p.reduced * p.inner + i, p.reduced, p.inner)
  }
}

/** Among x[start], x[start + stride], …; a NaN counts as greater than all others. */
function firstGreatest(x: Numbers, start: number, count: number, stride: number): number {
  let best = 0
  let greatest = x[start]!
  for (let i = 1; i < count && !Number.isNaN(greatest); i++) {
    const value = x[start + i * stride]!
    if (value <= greatest) continue
    best = i
    greatest = value
  }
  return best
}
