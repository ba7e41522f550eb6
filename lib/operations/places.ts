/** Elements of one axis at places that are known when an operation is recorded, however many: one gather. */
import { arrayOf } from '../base/arrays.ts'
import type { Shape } from '../base/shape.ts'
import type { Node } from '../graph/node.ts'
import { broadcastTo } from '../graph/ops/broadcast.ts'
import { gather } from '../graph/ops/indexing.ts'
import { data, literal } from '../graph/ops/leaf.ts'
import { concat, permute } from '../graph/ops/movement.ts'

/** Places as a function of where they stand. */
export const placesOf = (op: string, shape: Shape, place: (i: number) => number): Node =>
  data(arrayOf(op, 'int32', shape, place), 'int32', shape)

/** The elements of x at places along an axis, which the axes of `places` take the place of. */
export function take(x: Node, axis: number, places: Node): Node {
  const [rank, added] = [x.shape.length, places.shape.length]
  const others = x.shape.map((_, i) => i).filter((i) => i !== axis)
  const taken = gather(permute(x, [axis, ...others]), places)
  const order = Array.from({ length: rank - 1 + added }, (_, i) => {
    if (i < axis) return added + i
    return i < axis + added ? i - axis : i
  })
  return permute(taken, order)
}

/** x with a zero behind the last element of an axis, for places outside it. */
export function withZero(x: Node, axis: number): Node {
  const one = x.shape.map((extent, i) => (i === axis ? 1 : extent))
  return concat([x, broadcastTo(literal(0, x.dtype), one)], axis)
}
