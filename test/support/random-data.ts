/** Operands of random programs: mostly ordinary numbers, and every special one. */
import { allocate, type DType, isFloat, type TypedArray } from '../../lib/base/dtype.ts'
import { type Tape, uniforms } from './tape.ts'

const specialFloats = [
  NaN,
  Infinity,
  -Infinity,
  0,
  -0,
  1,
  -1,
  0.5,
  1e-45,
  -1e-40,
  2 ** -126,
  3.4e38,
  -3.4e38,
  88.7,
  -103.9,
  2 ** 31,
  -(2 ** 31),
  255.5,
  256,
]
const specialIntegers = [0, 1, -1, 2 ** 31 - 1, -(2 ** 31), 255, 256, 65536]

/** `positive`: in (0, 1]. Else integers from, and below. */
export type Content = 'any' | 'positive' | { readonly from: number; readonly below: number }

export function randomData(tape: Tape, dtype: DType, size: number, content: Content = 'any'): TypedArray {
  const array = allocate(dtype, size)
  const element = elementMaker(tape, dtype, content)
  for (let i = 0; i < size; i++) array[i] = element()
  return array
}

function elementMaker(tape: Tape, dtype: DType, content: Content): () => number {
  const flavour = tape.below(6)
  const next = uniforms(tape.below(2 ** 20))
  const choose = (list: readonly number[]) => list[Math.floor(next() * list.length)]!
  if (content === 'positive') return () => 1 - next()
  if (content !== 'any') return () => content.from + Math.floor(next() * (content.below - content.from))
  if (dtype === 'bool') return () => Number(next() < 0.5)
  if (dtype === 'uint8') return () => Math.floor(next() * 256)
  if (!isFloat(dtype))
    return () => (flavour === 5 && next() < 0.3 ? choose(specialIntegers) : Math.floor(next() * 21) - 10)
  if (flavour === 3) return () => Math.floor(next() * 9) - 4
  if (flavour === 4) return () => (next() - 0.5) * 10 ** (next() * 60 - 30)
  return () => (flavour === 5 && next() < 0.2 ? choose(specialFloats) : (next() - 0.5) * 8)
}
