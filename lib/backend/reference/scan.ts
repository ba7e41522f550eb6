/** What runs along the middle axis of x[outer, length, inner]: each result from the one before it, in float64. */
import type { InstructionParams } from '../../program/instructions.ts'
import type { ReductionName } from '../../program/vocabulary.ts'
import type { Floats, Numbers } from './loop.ts'

interface Running {
  readonly initial: number
  readonly next: (running: number, x: number) => number
}

const floatScans: { readonly [K in ReductionName]: Running } = {
  sum: { initial: 0, next: (sum, x) => sum + x },
  max: { initial: -Infinity, next: (max, x) => (x > max || Number.isNaN(x) ? x : max) },
  min: { initial: Infinity, next: (min, x) => (x < min || Number.isNaN(x) ? x : min) },
  prod: { initial: 1, next: (product, x) => product * x },
}

const integerScans: { readonly [K in ReductionName]: Running } = {
  sum: { initial: 0, next: (sum, x) => (sum + x) | 0 },
  max: { initial: -(2 ** 31), next: Math.max },
  min: { initial: 2 ** 31 - 1, next: Math.min },
  prod: { initial: 1, next: Math.imul },
}

/** Calls `line` with the first element of every line along the middle axis, and the step to the next one. */
function forEachLine(
  { outer, length, inner, reverse }: InstructionParams['recurrence'],
  line: (start: number, step: number) => void,
): void {
  const first = reverse ? Math.max(length - 1, 0) * inner : 0
  for (let o = 0; o < outer; o++)
    for (let i = 0; i < inner; i++) line(o * length * inner + first + i, reverse ? -inner : inner)
}

export function scan(p: InstructionParams['scan'], [x]: readonly [Numbers], [out]: readonly [Numbers]): void {
  const { initial, next } = (x instanceof Int32Array ? integerScans : floatScans)[p.kind]
  forEachLine(p, (start, step) => {
    let running = initial
    for (let k = 0; k < p.length; k++) {
      running = next(running, x[start + k * step]!)
      out[start + k * step] = running
    }
  })
}

export function recurrence(
  p: InstructionParams['recurrence'],
  [a, b]: readonly [Floats, Floats],
  [out]: readonly [Floats],
): void {
  forEachLine(p, (start, step) => {
    let running = 0
    for (let k = 0; k < p.length; k++) {
      running = a[start + k * step]! * running + b[start + k * step]!
      out[start + k * step] = running
    }
  })
}
