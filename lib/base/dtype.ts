/** The dtypes of elements, and the typed arrays that hold them. */
import { DTypeError, expected } from './errors.ts'

/** Element types. float64 is computed by the reference backend only. */
export type DType = 'float32' | 'float64' | 'int32' | 'uint8' | 'bool'

export type TypedArray =
  | Float32Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>

/** In the order of promotion: the later of two operands' dtypes is that of the result. */
export const dtypes = ['bool', 'uint8', 'int32', 'float32', 'float64'] as const satisfies readonly DType[]

const arrays = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  uint8: Uint8Array,
  bool: Uint8Array,
} as const

export const bytesPerElement = (dtype: DType): number => arrays[dtype].BYTES_PER_ELEMENT

export const isFloat = (dtype: DType): boolean => dtype === 'float32' || dtype === 'float64'

/** The dtype of `a op b`: bool < uint8 < int32 < float32 < float64. */
export const promote = (a: DType, b: DType): DType => (dtypes.indexOf(a) >= dtypes.indexOf(b) ? a : b)

export function checkDType(op: string, dtype: unknown): DType {
  if (!(dtypes as readonly unknown[]).includes(dtype))
    throw new DTypeError(expected(op, `a dtype (${dtypes.join(', ')})`, dtype))
  return dtype as DType
}

/** A zeroed array of `size` elements. */
export const allocate = (dtype: DType, size: number): TypedArray => new arrays[dtype](size)

export const isArrayOf = (dtype: DType, array: unknown): boolean => array instanceof arrays[dtype]

/** A view of `size` elements from a byte offset on. */
export const arrayAt = (dtype: DType, buffer: ArrayBuffer, offset: number, size: number): TypedArray =>
  new arrays[dtype](buffer, offset, size)
