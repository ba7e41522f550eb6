/** Max pooling and its adjoint: both find where the greatest element of each window is. */
import type { InstructionParams } from '../../program/instructions.ts'
import type { Floats } from './loop.ts'
import { forEachMeeting } from './windows.ts'

type Pooling = InstructionParams['maxPool2d']

/** The place in x of the greatest element of each window: the first, or the last NaN; -1 where a window meets none. */
function greatest(p: Pooling, x: Floats): Int32Array {
  const [plane, outPlane] = [p.height * p.width, p.outHeight * p.outWidth]
  const places = new Int32Array(p.planes * outPlane).fill(-1)
  for (let i = 0; i < p.planes; i++) {
    forEachMeeting(p, (met, _, output) => {
      const [place, at] = [i * plane + met, i * outPlane + output]
      if (places[at] === -1 || x[place]! > x[places[at]!]! || Number.isNaN(x[place])) places[at] = place
    })
  }
  return places
}

export function maxPool2d(p: Pooling, [x, z]: readonly [Floats, Floats], [out]: readonly [Floats]): void {
  greatest(p, x).forEach((place, i) => {
    out[i] = place === -1 ? -Infinity : z[place]!
  })
}

/** Where windows share their greatest element, their gradients add up, in order, each addition rounded. */
export function maxPool2dGradient(
  p: InstructionParams['maxPool2dGradient'],
  [x, dy]: readonly [Floats, Floats],
  [dx]: readonly [Floats],
): void {
  dx.fill(0)
  greatest(p, x).forEach((place, i) => {
    if (place !== -1 && (!p.rectified || x[place]! > 0)) dx[place]! += dy[i]!
  })
}
