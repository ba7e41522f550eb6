/** Runs hand-made programs. */

import type { Backend, Buffers } from '../../lib/backend/backend.ts'
import { allocate, type DType, type TypedArray } from '../../lib/base/dtype.ts'
import { type Shape, sizeOf } from '../../lib/base/shape.ts'
import type { Instruction, InstructionParams, Opcode } from '../../lib/program/instructions.ts'
import { allocateResults, type Place, type Program, type Value } from '../../lib/program/program.ts'

export const f32 = (...x: number[]) => Float32Array.from(x)
export const f64 = (...x: number[]) => Float64Array.from(x)
export const i32 = (...x: number[]) => Int32Array.from(x)
export const u8 = (...x: number[]) => Uint8Array.from(x)

export const value = (dtype: DType, shape: Shape, kind: Place['kind'], at: number): Value => ({
  dtype,
  shape,
  place: kind === 'arena' ? { kind, offset: at } : { kind, index: at },
})

export const instruction = <K extends Opcode>(
  opcode: K,
  params: InstructionParams[K],
  inputs: readonly number[],
  outputs: readonly number[],
) => ({ opcode, params, inputs, outputs }) as unknown as Instruction

/** A program without literals, states or an arena, unless `parts` has them. */
export const program = (parts: Partial<Program>): Program => ({
  values: [],
  instructions: [],
  literals: [],
  inputCount: 0,
  stateCount: 0,
  resultCount: 0,
  arenaBytes: 0,
  ...parts,
})

const dtypeOf = (x: TypedArray): DType => {
  if (x instanceof Float32Array) return 'float32'
  if (x instanceof Float64Array) return 'float64'
  return x instanceof Int32Array ? 'int32' : 'uint8'
}

/** One operand or output: bytes are uint8 unless said to be bool. */
export interface Typed {
  readonly dtype: DType
  readonly data: TypedArray
}

export const typed = (data: TypedArray | Typed): Typed =>
  ArrayBuffer.isView(data) ? { dtype: dtypeOf(data), data } : data
export const bool = (...x: number[]): Typed => ({ dtype: 'bool', data: u8(...x) })

/** A program of one instruction from inputs to results. */
export function programOf<K extends Opcode>(
  opcode: K,
  params: InstructionParams[K],
  inputs: readonly (TypedArray | Typed)[],
  outputs: readonly (readonly [DType, number])[],
): Program {
  const count = inputs.length
  return program({
    values: [
      ...inputs.map((x, i) => value(typed(x).dtype, [typed(x).data.length], 'input', i)),
      ...outputs.map(([dtype, size], i) => value(dtype, [size], 'result', i)),
    ],
    instructions: [
      instruction(
        opcode,
        params,
        inputs.map((_, i) => i),
        outputs.map((_, i) => count + i),
      ),
    ],
    inputCount: count,
    resultCount: outputs.length,
  })
}

/** What one instruction gives for these inputs. */
export function runInstruction<K extends Opcode>(
  backend: Backend,
  opcode: K,
  params: InstructionParams[K],
  inputs: readonly (TypedArray | Typed)[],
  outputs: readonly (readonly [DType, number])[],
): TypedArray[] {
  const program = programOf(opcode, params, inputs, outputs)
  return runProgram(
    backend,
    program,
    inputs.map((x) => typed(x).data),
  ).results
}

/** runInstruction on one backend. */
export const runnerOf =
  (backend: Backend) =>
  <K extends Opcode>(
    opcode: K,
    params: InstructionParams[K],
    inputs: readonly (TypedArray | Typed)[],
    outputs: readonly (readonly [DType, number])[],
  ): TypedArray[] =>
    runInstruction(backend, opcode, params, inputs, outputs)

export interface RunOutcome {
  readonly results: TypedArray[]
  readonly states: TypedArray[]
}

export interface Bound extends RunOutcome {
  readonly buffers: Buffers
}

/** Binds fresh buffers for what the program writes; the states as read stay as they are. */
export function bind(program: Program, inputs: Buffers, states: Buffers = []): Bound {
  const newStates = states.map((state) => new (state.constructor as typeof Float32Array)(state.length) as TypedArray)
  const results = allocateResults(program)
  return { buffers: [...inputs, ...states, ...newStates, ...results], results, states: newStates }
}

export function runProgram(backend: Backend, program: Program, inputs: Buffers, states: Buffers = []): RunOutcome {
  const executable = backend.prepare(program)
  const { buffers, ...outcome } = bind(program, inputs, states)
  executable.run(buffers)
  executable.dispose()
  return outcome
}

/** The bytes of an array of this many elements. */
export const zeros = (dtype: DType, shape: Shape): TypedArray => allocate(dtype, sizeOf(shape))
