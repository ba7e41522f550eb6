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
  const element = elements[distribution]
  const double = out instanceof Float64Array
  const [a, b] = parameters
  for (let block = 0; block < out.length / 4; block++) {
    const words = philox([block, Math.floor(block / 2 ** 32), 0, 0], key[0]!, key[1]!)
    for (const [j, word] of words.entries()) {
      const i = 4 * block + j
      if (i < out.length) out[i] = element(word, double, parameterAt(a, i), parameterAt(b, i))
    }
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
