/** Encoded programs with words changed at random, most of them no programs any more. */
import { type EncodedProgram, encodeProgram } from '../../../lib/program/encode.ts'
import type { Program } from '../../../lib/program/program.ts'
import { numbering } from '../../support/addon.ts'
import { malformedPrograms } from '../../support/malformed-programs.ts'
import { opcodeSamples } from '../../support/opcode-samples.ts'
import { shared } from '../../support/placement.ts'
import { sketchOf } from '../../support/random-program.ts'
import { Tape } from '../../support/tape.ts'
import { Random } from '../random.ts'

/** Programs of types that the addon has no numbers for cannot be encoded. */
function encodable(program: Program): EncodedProgram[] {
  try {
    return [encodeProgram(program, numbering)]
  } catch {
    return []
  }
}

const samples = Object.values(opcodeSamples).flatMap(encodable)
const hostile = malformedPrograms.flatMap(({ malformed }) => encodable(malformed))

function randomProgram(random: Random): EncodedProgram {
  const tapes = Array.from({ length: 1 + random.below(8) }, () => random.tape(60))
  const sketch = sketchOf(tapes, ['float32', 'int32', 'uint8', 'bool'])
  return encodeProgram(shared(sketch, new Tape(random.tape(60))).program, numbering)
}

/** So many cases in a row start from one of a few random programs, which take longer to make than to run. */
const casesPerPool = 256
const poolSize = 8
let pool: { readonly key: string; readonly programs: readonly EncodedProgram[] } = { key: '', programs: [] }

function poolOf(seed: number, number: number): readonly EncodedProgram[] {
  const index = Math.floor(number / casesPerPool)
  const key = `${seed} ${index}`
  if (pool.key !== key) {
    // Of numbers that no case has.
    const random = new Random(seed, -1 - index)
    pool = { key, programs: Array.from({ length: poolSize }, () => randomProgram(random)) }
  }
  return pool.programs
}

const special = [0, 1, -1, 2, 3, 4, 7, 8, 16, 63, 64, 2 ** 16, 2 ** 20, 2 ** 26, 2 ** 30, 2 ** 31 - 1, -(2 ** 31)]
/** Halves of doubles that are infinite, NaN, denormal, huge. */
const halves = [0x7ff00000, 0x7ff80000, -0x100000, 1, 0x7fefffff, 0x3ff00000, -0x40100000]

type Change = (words: number[], random: Random) => void

const at = (words: readonly number[], random: Random): number => random.below(words.length)

const changes: readonly Change[] = [
  (words, random) => {
    words[at(words, random)] = random.pick(special)
  },
  (words, random) => {
    words[at(words, random)]! += random.pick([1, -1, 2, -2, 64])
  },
  (words, random) => {
    words[at(words, random)] = random.below(12)
  },
  (words, random) => {
    words[at(words, random)] = random.pick(halves)
  },
  (words, random) => {
    words[at(words, random)] = words[at(words, random)]!
  },
  (words, random) => {
    words[at(words, random)] = random.word()
  },
  // An extent stands in several places, which have to agree.
  (words, random) => {
    const [from, to] = [words[at(words, random)], random.oneIn(2) ? random.below(12) : words[at(words, random)]!]
    words.forEach((word, i) => {
      if (word === from && !random.oneIn(8)) words[i] = to
    })
  },
  (words, random) => {
    const [i, j] = [at(words, random), at(words, random)]
    ;[words[i], words[j]] = [words[j]!, words[i]!]
  },
  (words, random) => {
    const [start, count] = [at(words, random), 1 + random.below(6)]
    words.splice(at(words, random), 0, ...words.slice(start, start + count))
  },
  (words, random) => {
    words.splice(at(words, random), 1 + random.below(6))
  },
  (words, random) => {
    words.length = random.oneIn(4) ? random.below(9) : at(words, random)
  },
]
/** The first ones leave the length as it is, and so more programs valid. */
const inPlace = 8

export interface Mutant {
  readonly words: Int32Array<ArrayBuffer>
  readonly literals: Uint8Array<ArrayBuffer>
  readonly random: Random
}

/** The words and literals of a case, and the random numbers that go on from there. */
export function mutantOf(seed: number, number: number): Mutant {
  const random = new Random(seed, number)
  const kind = random.below(8)
  const base = random.pick(kind === 0 ? hostile : kind < 4 ? samples : poolOf(seed, number))
  const words = [...base.words]
  for (let left = random.pick([0, 1, 1, 1, 1, 2, 2, 3, 5]); left > 0 && words.length > 0; left--)
    changes[random.below(random.oneIn(8) ? changes.length : inPlace)]!(words, random)
  const literals = random.oneIn(16)
    ? random.bytes(random.pick([0, 1, 63, 64, 65, base.literals.length]))
    : base.literals.slice()
  return { words: Int32Array.from(words), literals, random }
}
