/** Values that have to be in a range, or the run ends. */
import type { TypedArray } from '../../base/dtype.ts'
import type { InstructionParams } from '../../program/instructions.ts'
import type { Floats, RangeFault } from './loop.ts'

export function demand(
  { low, high }: InstructionParams['demand'],
  [x, tested]: readonly [TypedArray, Floats],
  [out]: readonly [TypedArray],
  fault: RangeFault,
): void {
  for (const [position, value] of tested.entries())
    if (!(value >= low && value <= high)) throw fault(position, value, 0)
  out.set(x)
}
