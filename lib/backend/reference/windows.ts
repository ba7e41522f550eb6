/** Windows that slide over a plane, for convolutions and pooling. */
import type { Windows } from '../../program/schema.ts'

/**
 * Visits, output by output and in row-major order of the kernel, what the elements of the windows meet: `met` in the
 * plane, or -1 outside it, by `element` of the kernel for `output`.
 */
export function forEachMeeting(p: Windows, visit: (met: number, element: number, output: number) => void): void {
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
