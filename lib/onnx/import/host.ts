/** Arithmetic of numbers on the host, by which shapes are computed: exact for integers, rounded as their type for floats. */
import { broadcastShapes, denseStrides, type Shape, sizeOf } from '../../base/shape.ts'
import type { ElementType } from '../types.ts'
import { HostArray } from '../values.ts'

/** What is larger is left to programs. */
const most = 1 << 16

/** JavaScript's operators are the same for numbers and bigint, which a call has of one kind alone. */
type Formula = (...elements: number[]) => number | bigint | boolean

/** Element by element, with shapes that broadcast; undefined where there is too much of it. */
export function onHost(type: ElementType, inputs: readonly HostArray[], formula: Formula): HostArray | undefined {
  const shape = inputs.map((input) => input.shape).reduce((a, b) => broadcastShapes('onnx', a, b))
  const size = sizeOf(shape)
  if (size > most) return undefined
  const places = inputs.map((input) => placesIn(input.shape, shape))
  const values = Array.from({ length: size }, (_, i) => {
    const value = formula(...inputs.map(({ data }, k) => data[places[k]!(i)] as number))
    return typeof value === 'boolean' ? Number(value) : value
  })
  return HostArray.of(type, shape, values)
}

/** Where the element i of a shape is in one that broadcasts to it. */
export function placesIn(from: Shape, to: Shape): (i: number) => number {
  if (sizeOf(from) === sizeOf(to)) return (i) => i
  const strides = denseStrides(to)
  const own = denseStrides(from)
  const offset = to.length - from.length
  return (i) => {
    let place = 0
    for (let axis = 0; axis < from.length; axis++) {
      const position = Math.floor(i / strides[axis + offset]!) % to[axis + offset]!
      if (from[axis] !== 1) place += position * own[axis]!
    }
    return place
  }
}

/** The elements at some places, as another array. */
export const picked = ({ type, data }: HostArray, shape: Shape, place: (i: number) => number): HostArray =>
  HostArray.of(
    type,
    shape,
    Array.from({ length: sizeOf(shape) }, (_, i) => data[place(i)]!),
  )

/** Whether so much is done on the host. */
export const fitsHost = (shape: Shape): boolean => sizeOf(shape) <= most
