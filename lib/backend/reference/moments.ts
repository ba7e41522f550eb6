/** Sums of each channel of [outer, channels, inner], in float64 and rounded once. */
import type { InstructionParams } from '../../program/instructions.ts'
import type { Floats } from './loop.ts'

type Channels = InstructionParams['moments']

/** Σ f(i) over the elements of each channel, whose number f is told too. */
function sumsOf({ outer, channels, inner }: Channels, f: (i: number, channel: number) => number): Float64Array {
  const sums = new Float64Array(channels)
  if (inner === 0) return sums
  for (let o = 0; o < outer; o++)
    for (let c = 0; c < channels; c++) {
      const start = (o * channels + c) * inner
      for (let i = start; i < start + inner; i++) sums[c]! += f(i, c)
    }
  return sums
}

export function moments(p: Channels, [x]: readonly [Floats], [mean, variance]: readonly [Floats, Floats]): void {
  const count = p.outer * p.inner
  const means = sumsOf(p, (i) => x[i]!).map((sum) => sum / count)
  mean.set(means)
  variance.set(sumsOf(p, (i, channel) => (x[i]! - means[channel]!) ** 2).map((sum) => sum / count))
}

export function deviationSums(
  p: Channels,
  [x, mean, y]: readonly [Floats, Floats, Floats],
  [sum, product]: readonly [Floats, Floats],
): void {
  sum.set(sumsOf(p, (i) => y[i]!))
  product.set(sumsOf(p, (i, channel) => (x[i]! - mean[channel]!) * y[i]!))
}
