/** The numbers 0, 1, 2, …, by which places are said. */
import * as g from '../../operations/index.ts'
import { full, tensor } from '../../tensor/creation.ts'
import type { Tensor } from '../../tensor/tensor.ts'

/** A file that asks for more gets a program that counts: nothing is allocated for what is never evaluated. */
const mostListed = 1 << 16

/** int32 from 0 to count − 1. */
export const countTo = (count: number): Tensor =>
  count <= mostListed
    ? tensor(Int32Array.from({ length: count }, (_, i) => i))
    : g.sub(g.cumsum(full([count], 1, { dtype: 'int32' }), 0), 1)

/** 0, step, 2·step, … */
export const multiples = (count: number, step: number): Tensor =>
  step === 1 ? countTo(count) : g.mul(countTo(count), step)
