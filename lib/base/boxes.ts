/** Boxes in the plane, as numbers: how much two overlap, and which of many are left when each takes with it what overlaps it. */

/** A box by its corners; y is the first coordinate, or x is, as long as that is so for all. */
export interface Box {
  readonly top: number
  readonly left: number
  readonly bottom: number
  readonly right: number
}

/** The box between two corners, whichever comes first. */
export const boxBetween = (y1: number, x1: number, y2: number, x2: number): Box => ({
  ...{ top: Math.min(y1, y2), left: Math.min(x1, x2) },
  ...{ bottom: Math.max(y1, y2), right: Math.max(x1, x2) },
})

const areaOf = ({ top, left, bottom, right }: Box): number => Math.max(bottom - top, 0) * Math.max(right - left, 0)

/** The area that two boxes share, of the one that they cover; 0 where one is empty. */
export function overlapOf(a: Box, b: Box): number {
  const shared = areaOf({
    ...{ top: Math.max(a.top, b.top), left: Math.max(a.left, b.left) },
    ...{ bottom: Math.min(a.bottom, b.bottom), right: Math.min(a.right, b.right) },
  })
  const covered = areaOf(a) + areaOf(b) - shared
  return shared > 0 && covered > 0 ? shared / covered : 0
}

export interface SuppressionLimits {
  /** What scores have to be above. */
  readonly score: number
  /** How many boxes are left at most. */
  readonly count: number
  /** How much of two boxes may overlap. */
  readonly overlap: number
}

/** The places of boxes that no better one overlaps too much, best first; of equal ones the first is better. */
export function suppressOverlaps(
  boxes: readonly Box[],
  scores: ArrayLike<number>,
  limits: SuppressionLimits,
): number[] {
  const order = boxes.map((_, i) => i).filter((i) => scores[i]! > limits.score)
  order.sort((i, j) => scores[j]! - scores[i]! || i - j)
  const kept: number[] = []
  for (const i of order) {
    if (kept.length >= limits.count) break
    if (kept.every((j) => overlapOf(boxes[i]!, boxes[j]!) <= limits.overlap)) kept.push(i)
  }
  return kept
}
