/** The line search of L-BFGS, on numbers. */

/** A point on the line: how far, the loss there, its gradient, and its slope along the line. */
export interface LinePoint {
  readonly distance: number
  readonly loss: number
  readonly gradient: Float64Array
  readonly slope: number
}

/** Asks for the point at a distance; what runs the search computes it, which may take a while. */
export type PointSearch = Generator<number, LinePoint, LinePoint>

const [sufficientDecrease, curvature] = [1e-4, 0.9]

/** The least point of the cubic through two points and their slopes, within bounds. */
function cubicMinimum(a: LinePoint, b: LinePoint, low?: number, high?: number): number {
  const [first, second] = a.distance <= b.distance ? [a, b] : [b, a]
  const [from, to] = [low ?? first.distance, high ?? second.distance]
  const d1 = first.slope + second.slope - (3 * (first.loss - second.loss)) / (first.distance - second.distance)
  const square = d1 ** 2 - first.slope * second.slope
  const d2 = Math.sqrt(square)
  const along = (second.slope + d2 - d1) / (second.slope - first.slope + 2 * d2)
  const least = second.distance - (second.distance - first.distance) * along
  return square >= 0 && Number.isFinite(least) ? Math.min(Math.max(least, from), to) : (from + to) / 2
}

const lower = (a: LinePoint, b: LinePoint): [low: LinePoint, high: LinePoint] => (b.loss < a.loss ? [b, a] : [a, b])

/** What a point is asked: whether it is low enough, and flat enough. */
class Conditions {
  constructor(readonly start: LinePoint) {}

  isTooHigh({ loss, distance }: LinePoint): boolean {
    // NaN is too high.
    return !(loss <= this.start.loss + sufficientDecrease * distance * this.start.slope)
  }

  isFlat({ slope }: LinePoint): boolean {
    return Math.abs(slope) <= -curvature * this.start.slope
  }
}

interface Bracket {
  readonly ends: readonly [LinePoint, LinePoint] | null
  readonly found: LinePoint
  /** How many points were asked for beyond the first. */
  readonly tries: number
}

/** Goes out until there is a point that will do, or one between two. */
function* bracket(conditions: Conditions, distance: number, most: number): Generator<number, Bracket, LinePoint> {
  let before = conditions.start
  let point = yield distance
  for (let tries = 0; tries < most; tries++) {
    if (conditions.isTooHigh(point) || (tries > 1 && point.loss >= before.loss))
      return { ends: [before, point], found: point, tries }
    if (conditions.isFlat(point)) return { ends: null, found: point, tries }
    if (point.slope >= 0) return { ends: [before, point], found: point, tries }
    const least = point.distance + 0.01 * (point.distance - before.distance)
    const next = cubicMinimum(before, point, least, point.distance * 10)
    before = point
    point = yield next
  }
  return { ends: [conditions.start, point], found: point, tries: most }
}

/** A distance between two that is not too close to either for long. */
class Trial {
  #isStuck = false

  between(a: LinePoint, b: LinePoint): number {
    const [left, right] = [Math.min(a.distance, b.distance), Math.max(a.distance, b.distance)]
    const t = cubicMinimum(a, b)
    const margin = 0.1 * (right - left)
    if (Math.min(right - t, t - left) >= margin) {
      this.#isStuck = false
      return t
    }
    if (!this.#isStuck && t < right && t > left) {
      this.#isStuck = true
      return t
    }
    this.#isStuck = false
    return Math.abs(t - right) < Math.abs(t - left) ? right - margin : left + margin
  }
}

/**
 * A point that satisfies the strong conditions of Wolfe, or the best that was met: Nocedal & Wright, "Numerical optimization" (2006), algorithms 3.5
 * and 3.6, with the cubic interpolation and the safeguards of Schmidt's minFunc, as PyTorch has them.
 *
 * @param most how many points may be asked for beyond the first
 * @param isShort whether a bracket of this length is too short to go on
 */
export function* strongWolfe(
  start: LinePoint,
  distance: number,
  most: number,
  isShort: (length: number) => boolean,
): PointSearch {
  const conditions = new Conditions(start)
  const { ends, found, tries: used } = yield* bracket(conditions, distance, most)
  if (ends === null) return found
  let [low, high] = lower(...ends)
  const trial = new Trial()
  for (let tries = used; tries < most && !isShort(Math.abs(high.distance - low.distance)); tries++) {
    const point = yield trial.between(low, high)
    if (conditions.isTooHigh(point) || point.loss >= low.loss) {
      ;[low, high] = lower(low, point)
      continue
    }
    if (conditions.isFlat(point)) return point
    if (point.slope * (high.distance - low.distance) >= 0) high = low
    low = point
  }
  return low
}
