/** Typed arrays that operations fill: what exceeds memory is an error of the operation. */
import { allocate, bytesPerElement, type DType, type TypedArray } from './dtype.ts'
import { checkShape, formatShape, type Shape, sizeOf } from './shape.ts'

/**
 * A zeroed array.
 * @throws RangeError that names the operation, where there is no memory for it
 */
export function allocateChecked(op: string, dtype: DType, shape: Shape): TypedArray {
  try {
    return allocate(dtype, sizeOf(shape))
  } catch {
    throw new RangeError(
      `${op}: cannot allocate ${sizeOf(shape) * bytesPerElement(dtype)} bytes for ${dtype}${formatShape(shape)}`,
    )
  }
}

/**
 * An array whose elements are a function of their places.
 * @throws ShapeError for a shape that no tensor has; RangeError as allocateChecked
 */
export function arrayOf(op: string, dtype: DType, shape: Shape, element: (i: number) => number): TypedArray {
  const array = allocateChecked(op, dtype, checkShape(op, shape))
  for (let i = 0; i < array.length; i++) array[i] = element(i)
  return array
}
