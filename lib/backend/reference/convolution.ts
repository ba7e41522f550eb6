/** Convolutions: products of windows of the input with filters, summed in float64 and rounded once, like what follows. */

import type { InstructionParams } from '../../program/instructions.ts'
import type { Convolution } from '../../program/schema.ts'
import { activations } from './functions.ts'
import type { Floats } from './loop.ts'
import { maxPool2d } from './pooling.ts'
import { forEachElement, forEachMeeting } from './windows.ts'

/** The products with padding are zeros, unless what is multiplied by zero is no number. */
const withPadding = (factors: Floats) => (factors.every(Number.isFinite) ? forEachMeeting : forEachElement)

/**
 * Visits every product of a convolution: element `w` of the weights meets element `x` of the input, or padding (-1) where
 * `forEach` does, for element `y` of the output.
 */
function forEachProduct(
  p: Convolution,
  forEach: typeof forEachMeeting,
  visit: (x: number, w: number, y: number) => void,
): void {
  const [plane, outPlane, kernel] = [p.height * p.width, p.outHeight * p.outWidth, p.kernelHeight * p.kernelWidth]
  if (outPlane === 0 || p.filters === 0) return
  for (let image = 0; image < p.batch; image++) {
    for (let filter = 0; filter < p.groups * p.filters; filter++) {
      const group = Math.floor(filter / p.filters)
      const y = (image * p.groups * p.filters + filter) * outPlane
      for (let channel = 0; channel < p.channels; channel++) {
        const x = ((image * p.groups + group) * p.channels + channel) * plane
        const w = (filter * p.channels + channel) * kernel
        forEach(p, (met, element, output) => visit(met === -1 ? -1 : x + met, w + element, y + output))
      }
    }
  }
}

export function conv2d(
  p: InstructionParams['conv2d'],
  [x, w, bias]: readonly [Floats, Floats, ...Floats[]],
  [out]: readonly [Floats],
): void {
  const sums = new Float64Array(out.length)
  forEachProduct(p, withPadding(w), (i, j, k) => {
    sums[k]! += (x[i] ?? 0) * w[j]!
  })
  const activate = activations[p.activation]
  const [plane, filters] = [p.outHeight * p.outWidth, p.groups * p.filters]
  out.set(sums)
  for (let i = 0; i < out.length; i++) {
    if (bias) out[i]! += bias[Math.floor(i / plane) % filters]!
    if (p.activation !== 'none') out[i] = activate(out[i]!, p.slope)
  }
}

export function maxPooledConv2d(
  p: InstructionParams['maxPooledConv2d'],
  inputs: readonly [Floats, Floats, ...Floats[]],
  [out]: readonly [Floats],
): void {
  const planes = p.batch * p.groups * p.filters
  const y = new (out.constructor as new (size: number) => Floats)(planes * p.outHeight * p.outWidth)
  conv2d(p, inputs, [y])
  const windows = {
    ...{ height: p.outHeight, width: p.outWidth, outHeight: p.pooledHeight, outWidth: p.pooledWidth },
    ...{ kernelHeight: 2, kernelWidth: 2, strideHeight: 2, strideWidth: 2, padTop: 0, padLeft: 0 },
    ...{ dilationHeight: 1, dilationWidth: 1 },
  }
  maxPool2d({ planes, ...windows }, [y, y], [out])
}

export function conv2dInputGradient(p: Convolution, [dy, w]: readonly [Floats, Floats], [dx]: readonly [Floats]): void {
  const sums = new Float64Array(dx.length)
  forEachProduct(p, forEachMeeting, (i, j, k) => {
    sums[i]! += dy[k]! * w[j]!
  })
  dx.set(sums)
}

export function conv2dWeightGradient(
  p: Convolution,
  [x, dy]: readonly [Floats, Floats],
  [dw]: readonly [Floats],
): void {
  const sums = new Float64Array(dw.length)
  forEachProduct(p, withPadding(dy), (i, j, k) => {
    sums[j]! += (x[i] ?? 0) * dy[k]!
  })
  dw.set(sums)
}
