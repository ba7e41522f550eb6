/** NonMaxSuppression: the boxes of each class that no better one overlaps, as many as there are. */
import { type Box, boxBetween, suppressOverlaps } from '../../base/boxes.ts'
import { HostArray } from '../values.ts'
import type { Call } from './call.ts'
import { type Family, row } from './row.ts'
import { wrong } from './tables.ts'

/** Two corners, y before x and in any order; or a centre, x before y, and a width and height. */
function boxOf([a, b, c, d]: readonly number[], isCentred: boolean): Box {
  const [p, q, r, s] = [a!, b!, c!, d!]
  if (isCentred) return { top: q - s / 2, left: p - r / 2, bottom: q + s / 2, right: p + r / 2 }
  return boxBetween(p, q, r, s)
}

function nonMaxSuppression(n: Call): HostArray {
  const [boxes, scores] = [n.host(0), n.host(1)]
  const [batch, count, four] = boxes.shape
  const [images, classes, each] = scores.shape
  if (boxes.shape.length !== 3 || four !== 4 || scores.shape.length !== 3 || images !== batch || each !== count)
    throw wrong(n, 'boxes [n, count, 4] and scores [n, classes, count]', `[${boxes.shape}] and [${scores.shape}]`)
  const limits = {
    count: n.optionalNumber(2) ?? 0,
    overlap: n.optionalNumber(3) ?? 0,
    score: n.optionalNumber(4) ?? Number.NEGATIVE_INFINITY,
  }
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
      for (const i of suppressOverlaps(own, values.slice(start, start + count!), limits)) found.push(image, c, i)
    }
  }
  return HostArray.of('int64', [found.length / 3, 3], found)
}

export const suppression: Family = {
  NonMaxSuppression: row([10, 11], nonMaxSuppression, { host: [2, 3, 4], folds: true }),
}
