/** The shape of the reference's loops: one function per opcode, from operands to outputs. */
import type { TypedArray } from '../../base/dtype.ts'
import type { InstructionParams, Opcode } from '../../program/instructions.ts'

export type Floats = Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>
export type Numbers = Floats | Int32Array<ArrayBuffer>
export type Indices = Int32Array<ArrayBuffer>

/** Makes the error of an index in the data that lies outside [0, limit), or of a value outside its range. */
export type RangeFault = (position: number, value: number, limit: number) => RangeError

/** A method type, so that a loop may declare the very operands that verified programs give its opcode. */
export type Loop<K extends Opcode> = {
  run(
    params: Readonly<InstructionParams[K]>,
    inputs: readonly TypedArray[],
    outputs: readonly TypedArray[],
    fault: RangeFault,
  ): void
}['run']
