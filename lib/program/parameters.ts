/** The types of parameters: which values each has, and the words they are encoded in. */
import { InternalError } from '../base/errors.ts'
import { maxExtent, maxRank } from '../base/shape.ts'
import type { MicroInstruction } from './micro-ops.ts'
import type { Program } from './program.ts'
import { refuse, type Site } from './refuse.ts'
import {
  activations,
  distributions,
  type LoadPattern,
  type MatrixLayout,
  precisions,
  reductions,
} from './vocabulary.ts'

/** The number of each name; the backend that reads the words hands it over when it is loaded. */
export interface Numbering {
  readonly opcodes: ReadonlyMap<string, number>
  readonly microOps: ReadonlyMap<string, number>
  readonly dtypes: ReadonlyMap<string, number>
  readonly places: ReadonlyMap<string, number>
  readonly reductions: ReadonlyMap<string, number>
  readonly activations: ReadonlyMap<string, number>
  readonly precisions: ReadonlyMap<string, number>
  readonly distributions: ReadonlyMap<string, number>
}

export function numberOf(table: ReadonlyMap<string, number>, name: string): number {
  const number = table.get(name)
  if (number === undefined) throw new InternalError(`the backend knows no ${name}`)
  return number
}

/** What is wrong with a value, or with the part of it that `at` names. */
interface Fault {
  readonly at: string
  readonly wanted: string
  readonly got: unknown
}

/** Methods, so that a table of parameters of all types is one of parameters of an unknown type. */
interface Item<T> {
  fault(value: T): Fault | null
  write(words: number[], value: T, numbering: Numbering): void
}

export interface Parameter<T, Type extends string = string> extends Item<T> {
  /** By which tools/instructions.ts knows what it is in C++. */
  readonly type: Type
}

export function checkParameter<T>(site: Site, name: string, parameter: Item<T>, value: T): void {
  const fault = parameter.fault(value)
  if (fault !== null) refuse(site, `${name}${fault.at} ${fault.wanted}`, fault.got)
}

const within = (at: string, fault: Fault): Fault => ({ ...fault, at: `${at}${fault.at}` })

const integer = (least: number): Item<number> => ({
  fault: (value) =>
    Number.isInteger(value) && value >= least && value <= maxExtent
      ? null
      : { at: '', wanted: `to be an integer in [${least}, ${maxExtent}]`, got: value },
  write: (words, value) => void words.push(value),
})

/** How many there are of something, or which one: an integer that fits the wire format. */
export const count: Parameter<number, 'count'> = { type: 'count', ...integer(0) }

export const isCount = (x: number): boolean => count.fault(x) === null

export const flag: Parameter<boolean, 'flag'> = {
  type: 'flag',
  fault: () => null,
  write: (words, value) => void words.push(Number(value)),
}

const double = new Float64Array(1)
const halves = new Int32Array(double.buffer)

/** Two words: the low half of the IEEE double first. */
export const real: Parameter<number, 'real'> = {
  type: 'real',
  fault: () => null,
  write(words, value) {
    double[0] = value
    words.push(halves[0]!, halves[1]!)
  },
}

/** What backends need not know: no words. */
export const text: Parameter<string, 'text'> = { type: 'text', fault: () => null, write: () => {} }

function oneOf<Type extends 'activation' | 'precision' | 'reduction' | 'distribution', Name extends string>(
  type: Type,
  names: readonly Name[],
): Parameter<Name, Type> {
  const wanted = `to be ${type === 'activation' ? 'an' : 'a'} ${type} (${names.join(', ')})`
  return {
    type,
    fault: (value) => (names.includes(value) ? null : { at: '', wanted, got: value }),
    write: (words, value, numbering) => void words.push(numberOf(numbering[`${type}s`], value)),
  }
}

/**
 * What an instruction runs, perhaps many times: a program without literals. verify.ts checks it and encode.ts writes it, as
 * it has instructions in it that may have programs.
 */
export const program: Parameter<Program, 'program'> = {
  type: 'program',
  fault: () => null,
  write() {
    throw new InternalError('a program is no parameter of its own')
  },
}

export const activation = oneOf('activation', activations)
export const precision = oneOf('precision', precisions)
export const reduction = oneOf('reduction', reductions)
export const distribution = oneOf('distribution', distributions)

/** Its length, then its items. */
function listOf<T, Type extends string>(type: Type, item: Item<T>, most = Infinity): Parameter<readonly T[], Type> {
  return {
    type,
    fault(value) {
      if (value.length > most) return { at: '', wanted: `to have at most ${most} axes`, got: value.length }
      for (let i = 0; i < value.length; i++) {
        const fault = item.fault(value[i]!)
        if (fault !== null) return within(`[${i}]`, fault)
      }
      return null
    },
    write(words, value, numbering) {
      words.push(value.length)
      for (let i = 0; i < value.length; i++) item.write(words, value[i]!, numbering)
    },
  }
}

/** One by one: so many arguments as a long concat has operands fit no stack. */
export function pushNumbers(words: number[], list: readonly number[]): void {
  words.push(list.length)
  for (let i = 0; i < list.length; i++) words.push(list[i]!)
}

const integersOf = <Type extends string>(
  type: Type,
  item: Item<number>,
  most?: number,
): Parameter<readonly number[], Type> => ({ ...listOf(type, item, most), write: pushNumbers })

export const counts = integersOf('counts', count)

/** The extents of some axes. */
export const shape = integersOf('shape', count, maxRank)

export const strides = integersOf('strides', integer(-maxExtent), maxRank)

/** The fault of the first member that has one. */
const firstFault =
  <T>(members: { readonly [K in keyof T]?: Item<T[K]> }) =>
  (value: T): Fault | null => {
    for (const key in members) {
      const fault = members[key]?.fault(value[key]) ?? null
      if (fault !== null) return within(`.${key}`, fault)
    }
    return null
  }

export const patterns = listOf<LoadPattern, 'patterns'>('patterns', {
  fault: firstFault({ offset: count, strides }),
  write(words, pattern) {
    words.push(pattern.offset)
    pushNumbers(words, pattern.strides)
  },
})

export const layout: Parameter<MatrixLayout, 'layout'> = {
  type: 'layout',
  fault: firstFault({ offset: count, batchStride: count, leadingDimension: count }),
  write(words, { offset, batchStride, leadingDimension, transpose }) {
    words.push(offset, batchStride, leadingDimension, Number(transpose))
  },
}

/** Registers that a step does not read are -1. */
export const code = listOf<MicroInstruction, 'code'>('code', {
  fault: firstFault({ args: counts }),
  write(words, { op, dtype, to, args }, { microOps, dtypes }) {
    words.push(numberOf(microOps, op), numberOf(dtypes, dtype), numberOf(dtypes, to ?? dtype))
    words.push(args[0] ?? -1, args[1] ?? -1, args[2] ?? -1)
  },
})
