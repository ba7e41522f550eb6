/** NonMaxSuppression: the boxes of each class that no better one overlaps, as many as there are. */
import { HostArray } from '../values.ts'
import type { Call } from './call.ts'
import { type Family, row } from './row.ts'
import { wrong } from './tables.ts'

/** A box by its corners. */
interface Box {
  readonly top: number
  readonly left: number
  readonly bottom: number
  readonly right: number
}

/** Two corners, y before x and in any order; or a centre, x before y, and a width and height. */
function boxOf([a, b, c, d]: readonly number[], isCentred: boolean): Box {
  const [p, q, r, s] = [a!, b!, c!, d!]
  if (isCentred) return { top: q - s / 2, left: p - r / 2, bottom: q + s / 2, right: p + r / 2 }
  return { top: Math.min(p, r), left: Math.min(q, s), bottom: Math.max(p, r), right: Math.max(q, s) }
}

const areaOf = ({ top, left, bottom, right }: Box): number => Math.max(bottom - top, 0) * Math.max(right - left, 0)

/** What two boxes have in common, of what either covers; 0 where one is empty. */
function overlapOf(a: Box, b: Box): number {
  const common = areaOf({
    ...{ top: Math.max(a.top, b.top), left: Math.max(a.left, b.left) },
    ...{ bottom: Math.min(a.bottom, b.bottom), right: Math.min(a.right, b.right) },
  })
  const union = areaOf(a) + areaOf(b) - common
  return common > 0 && union > 0 ? common / union : 0
}

/** The boxes that are chosen, best first: each takes with it what overlaps it too much. */
function suppress(
  boxes: readonly Box[],
  scores: ArrayLike<number>,
  least: number,
  most: number,
  overlap: number,
): number[] {
  const order = boxes.map((_, i) => i).filter((i) => scores[i]! > least)
  order.sort((i, j) => scores[j]! - scores[i]! || i - j)
  const chosen: number[] = []
  for (const i of order) {
    if (chosen.length >= most) break
    if (chosen.every((j) => overlapOf(boxes[i]!, boxes[j]!) <= overlap)) chosen.push(i)
  }
  return chosen
}

function nonMaxSuppression(n: Call): HostArray {
  const [boxes, scores] = [n.host(0), n.host(1)]
  const [batch, count, four] = boxes.shape
  const [, classes] = scores.shape
  if (
    boxes.shape.length !== 3 ||
    four !== 4 ||
    scores.shape.length !== 3 ||
    scores.shape[0] !== batch ||
    scores.shape[2] !== count
  )
    throw wrong(n, `boxes [n, count, 4] and scores [n, classes, count]`, `[${boxes.shape}] and [${scores.shape}]`)
  const most = n.optionalNumber(2) ?? 0
  const overlap = n.optionalNumber(3) ?? 0
  const least = n.optionalNumber(4) ?? Number.NEGATIVE_INFINITY
  const isCentred = n.attributes.flag('center_point_box', false)
  const [places, values] = [boxes.numbers(), scores.numbers()]
  const found: number[] = []
  for (let image = 0; image < batch!; image++) {
    const own = Array.from({ length: count! }, (_, i) => {
      const at = (image * count! + i) * 4
      return boxOf(places.slice(at, at + 4), isCentred)
    })
    for (let c = 0; c < classes!; c++) {
      const start = (image * classes! + c) * count!
      for (const i of suppress(own, values.slice(start, start + count!), least, most, overlap)) found.push(image, c, i)
    }
  }
  return HostArray.of('int64', [found.length / 3, 3], found)
}

export const suppression: Family = {
  NonMaxSuppression: row([10, 11], nonMaxSuppression, { host: [2, 3, 4], folds: true }),
}
