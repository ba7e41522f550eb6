/** Instructions that run programs: a run of one binds operands, or parts of them, to its buffers. */
import type { TypedArray } from '../../base/dtype.ts'
import { elementAt } from '../../base/lists.ts'
import type { Pieces } from '../../base/turns.ts'
import type { InstructionParams } from '../../program/instructions.ts'
import type { Program } from '../../program/program.ts'
import type { Buffers } from '../backend.ts'
import { type Bound, bindBuffers, fixedArrays } from './binding.ts'

/** Runs what is bound; it comes to a halt between pieces of the work. */
export type Execute = (program: Program, bound: Bound) => Pieces<void>

export type NestedOpcode = 'loop' | 'whileLoop' | 'branch'

type Nested<K extends NestedOpcode> = (
  params: InstructionParams[K],
  inputs: readonly TypedArray[],
  outputs: readonly TypedArray[],
  execute: Execute,
) => Pieces<void>

/** A program with memory for its arena, which each run uses. */
function runner(program: Program, execute: Execute): (buffers: Buffers) => Pieces<void> {
  const fixed = fixedArrays(program)
  return (buffers) => execute(program, bindBuffers(program, fixed, buffers))
}

/** The part of step `step` of so many, of each sequence. */
const partsAt = (sequences: readonly TypedArray[], step: number, length: number): TypedArray[] =>
  sequences.map((whole) => {
    const size = whole.length / length
    return whole.subarray(step * size, (step + 1) * size) as TypedArray
  })

/** The results that are carries begin as the operands do. */
function startCarries(initial: readonly TypedArray[], carries: readonly TypedArray[]): void {
  carries.forEach((carry, i) => {
    carry.set(elementAt(initial, i))
  })
}

const loop: Nested<'loop'> = function* ({ length, reverse, constants, body }, inputs, outputs, execute) {
  const run = runner(body, execute)
  const [carries, results] = [outputs.slice(0, body.stateCount), outputs.slice(body.stateCount)]
  const given = inputs.slice(0, constants)
  const sequences = inputs.slice(constants + carries.length)
  startCarries(inputs.slice(constants), carries)
  for (let i = 0; i < length; i++) {
    const step = reverse ? length - 1 - i : i
    yield* run([
      ...given,
      ...partsAt(sequences, step, length),
      ...carries,
      ...carries,
      ...partsAt(results, step, length),
    ])
  }
}

const whileLoop: Nested<'whileLoop'> = function* ({ limit, constants, condition, body }, inputs, carries, execute) {
  const [test, run] = [runner(condition, execute), runner(body, execute)]
  const given = inputs.slice(0, constants)
  const goesOn = new Uint8Array(1)
  startCarries(inputs.slice(constants), carries)
  for (let step = 0; step < limit; step++) {
    yield* test([...given, ...carries, goesOn])
    if (goesOn[0] === 0) return
    yield* run([...given, ...carries, ...carries])
  }
}

const branch: Nested<'branch'> = function* ({ ifTrue, ifFalse }, [predicate, ...operands], outputs, execute) {
  yield* runner(predicate?.[0] ? ifTrue : ifFalse, execute)([...operands, ...outputs])
}

export const nested: { readonly [K in NestedOpcode]: Nested<K> } = { loop, whileLoop, branch }

export const isNested = (opcode: string): opcode is NestedOpcode => Object.hasOwn(nested, opcode)
