/** Windows that slide over a plane, for convolutions and pooling. */
import type { Windows } from '../../program/schema.ts'

/** The elements [first, end) of a kernel's row or column that meet the extent, of a window that begins at `start`. */
function tapsInside(start: number, kernel: number, dilation: number, extent: number): readonly [number, number] {
  return [
    Math.ceil(Math.max(-start, 0) / dilation),
    Math.min(Math.ceil(Math.max(extent - start, 0) / dilation), kernel),
  ]
}

/**
 * Visits, output by output and in row-major order of the kernel, what the elements of the windows meet: `met` in the
 * plane by `element` of the kernel for `output`. What is outside the plane is not gone through, however much it is.
 */
export function forEachMeeting(p: Windows, visit: (met: number, element: number, output: number) => void): void {
  for (let output = 0; output < p.outHeight * p.outWidth; output++) {
    const top = Math.floor(output / p.outWidth) * p.strideHeight - p.padTop
    const left = (output % p.outWidth) * p.strideWidth - p.padLeft
    const [firstRow, endRow] = tapsInside(top, p.kernelHeight, p.dilationHeight, p.height)
    const [firstColumn, endColumn] = tapsInside(left, p.kernelWidth, p.dilationWidth, p.width)
    for (let i = firstRow; i < endRow; i++) {
      const row = (top + i * p.dilationHeight) * p.width + left
      for (let j = firstColumn; j < endColumn; j++) visit(row + j * p.dilationWidth, i * p.kernelWidth + j, output)
    }
  }
}

/** Visits also the elements that meet none, which is -1. */
export function forEachElement(p: Windows, visit: (met: number, element: number, output: number) => void): void {
  for (let output = 0; output < p.outHeight * p.outWidth; output++) {
    const top = Math.floor(output / p.outWidth) * p.strideHeight - p.padTop
    const left = (output % p.outWidth) * p.strideWidth - p.padLeft
    for (let element = 0; element < p.kernelHeight * p.kernelWidth; element++) {
      const row = top + Math.floor(element / p.kernelWidth) * p.dilationHeight
      const column = left + (element % p.kernelWidth) * p.dilationWidth
      const isInside = row >= 0 && row < p.height && column >= 0 && column < p.width
      visit(isInside ? row * p.width + column : -1, element, output)
    }
  }
}
