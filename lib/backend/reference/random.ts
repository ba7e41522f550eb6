/** Counter-based random numbers, the same bits in every backend: word i % 4 of the Philox block with counter floor(i / 4). */

import type { InstructionParams } from '../../program/instructions.ts'
import type { DistributionName } from '../../program/vocabulary.ts'
import type { Indices, Numbers } from './loop.ts'
import { multiplyHigh, philox, unit } from './philox.ts'
import { inverseNormal, log } from './plain-math.ts'
import { parameterAt, sample } from './sample.ts'

export function random(
  { distribution }: InstructionParams['random'],
  [key, ...parameters]: readonly [Indices, ...Numbers[]],
  [out]: readonly [Numbers],
): void {
  if (distribution === 'gamma' || distribution === 'beta' || distribution === 'poisson') {
    sample(distribution, key, parameters, out)
    return
  }
  const words = new Uint32Array(4)
  const element = elements[distribution]
  const double = out instanceof Float64Array
  for (let i = 0; i < out.length; i++) {
    if (i % 4 === 0) philox(words, [i / 4, Math.floor(i / 4 / 2 ** 32), 0, 0], key[0]!, key[1]!)
    out[i] = element(words[i % 4]!, double, parameterAt(parameters[0], i), parameterAt(parameters[1], i))
  }
}

type Elementary = Exclude<DistributionName, 'gamma' | 'beta' | 'poisson'>

const elements: { readonly [K in Elementary]: (word: number, double: boolean, a: number, b: number) => number } = {
  uniform: (word, double) => (double ? word * 2 ** -32 : (word >>> 8) * 2 ** -24),
  normal: (word) => inverseNormal(unit(word)),
  exponential: (word) => -log(unit(word)),
  gumbel: (word) => -log(-log(unit(word))),
  // ⌊word·range / 2³²⌋
  integer(word, _, low, high) {
    const range = (high - low) >>> 0
    return (low + (range === 0 ? word : multiplyHigh(word, range))) | 0
  },
  truncatedNormal(word, _, low, high) {
    const u = low + (high - low) * unit(word)
    if (u > 0 && u < 1) return inverseNormal(u)
    return u <= 0 ? -Infinity : u >= 1 ? Infinity : NaN
  },
}
