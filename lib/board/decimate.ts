/** Many points as few, so that no peak is lost. */

export interface Points {
  /** Never falls. */
  readonly step: Float64Array
  readonly value: Float64Array
}

/** The first, the lowest, the highest, the last, and the first that is no finite number. */
const mostOfPart = 5

/** The fewest points that may be asked for: two parts. */
export const fewestPoints = 2 * mostOfPart

/**
 * Which of the points from `start` to before `end` stand for all of them: of each part the first, lowest, highest and last, and the first that
 * is no finite number. Parts are equally long in steps, as they are on a chart, so that what is seldom is not outnumbered.
 *
 * @param most how many there may be, at least `fewestPoints`
 * @returns their indices, which rise
 */
export function decimate({ step, value }: Points, start: number, end: number, most: number): Uint32Array {
  const count = end - start
  if (count <= most) return Uint32Array.from({ length: count }, (_, i) => start + i)
  const kept = new Uint32Array(most)
  let length = 0
  const parts = Math.floor(most / mostOfPart)
  const first = step[start]!
  const perStep = parts / (step[end - 1]! - first)
  for (let i = start; i < end; ) {
    const next = endOfPart(step, i, end, first, perStep, parts)
    length = keepOf(value, i, next, kept, length)
    i = next
  }
  return kept.subarray(0, length)
}

/** Where the part ends that begins at `start`, found by halves as steps never fall. Steps that are all the same are one part. */
function endOfPart(step: Float64Array, start: number, end: number, first: number, perStep: number, parts: number) {
  const partOf = (i: number) => Math.min(parts - 1, Math.floor((step[i]! - first) * perStep) || 0)
  const part = partOf(start)
  let [low, high] = [start + 1, end]
  while (low < high) {
    const middle = (low + high) >> 1
    if (partOf(middle) > part) high = middle
    else low = middle + 1
  }
  return low
}

/** Adds what is kept of a part, and gives how many are there then. */
function keepOf(value: Float64Array, start: number, end: number, kept: Uint32Array, length: number): number {
  let [lowest, highest, notFinite] = [-1, -1, -1]
  for (let i = start; i < end; i++) {
    const x = value[i]!
    // What is no finite number makes NaN of itself.
    if (x - x !== 0) {
      if (notFinite === -1) notFinite = i
      continue
    }
    if (lowest === -1 || x < value[lowest]!) lowest = i
    if (highest === -1 || x > value[highest]!) highest = i
  }
  const found = [start, lowest, highest, notFinite, end - 1].sort((a, b) => a - b)
  for (const [j, i] of found.entries()) if (i !== -1 && i !== found[j - 1]) kept[length++] = i
  return length
}
