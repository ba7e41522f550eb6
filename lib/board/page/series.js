// Columns of points: appending, thinning, smoothing, and which of their numbers is x.

/**
 * @typedef {'step' | 'epoch' | 'relative' | 'wall'} XAxis
 * @typedef {{ step: number[], epoch: (number | null)[], time: number[], value: (number | null)[], total: number, at: number }} Columns
 */

/** @returns {Columns} */
export const noPoints = () => ({ step: [], epoch: [], time: [], value: [], total: 0, at: 0 })

/**
 * @param {Omit<import('../protocol.ts').Series, 'run' | 'tag'>} series
 * @returns {Columns}
 */
export const columnsOf = ({ step, epoch, time, value, total, at }) => ({
  step: [...step],
  epoch: [...epoch],
  time: [...time],
  value: [...value],
  total,
  at,
})

/**
 * Appends a point of an event of the stream, unless the series was read after it: what is written while a series is asked for arrives both ways.
 * @param {Columns} columns
 * @param {{ step: number, epoch?: number, time: number }} place
 * @param {number | null} value
 * @param {number} event its number
 */
export function appendPoint(columns, { step, epoch, time }, value, event) {
  if (event <= columns.at) return false
  columns.step.push(step)
  columns.epoch.push(epoch ?? null)
  columns.time.push(time)
  columns.value.push(value === null || Number.isFinite(value) ? value : null)
  columns.total++
  return true
}

/**
 * At most `points` or so: the first, lowest, highest and last of equal parts, so that no peak is lost.
 * @param {Columns} columns
 * @param {number} points
 * @returns {Columns}
 */
export function thinned(columns, points) {
  const { step, value } = columns
  if (step.length <= points) return columns
  const parts = Math.max(1, Math.floor(points / 4))
  /** @type {number[]} */
  const kept = []
  for (let part = 0; part < parts; part++) {
    const [from, to] = [Math.floor((part * step.length) / parts), Math.floor(((part + 1) * step.length) / parts)]
    let [low, high, lowest, highest] = [from, from, Infinity, -Infinity]
    for (let i = from; i < to; i++) {
      const at = value[i]
      if (at === null) continue
      if (at < lowest) [low, lowest] = [i, at]
      if (at > highest) [high, highest] = [i, at]
    }
    for (const i of new Set([from, Math.min(low, high), Math.max(low, high), to - 1])) kept.push(i)
  }
  const picked = /** @template T @param {T[]} column */ (column) => kept.map((i) => column[i])
  return {
    step: picked(step),
    epoch: picked(columns.epoch),
    time: picked(columns.time),
    value: picked(value),
    total: columns.total,
    at: columns.at,
  }
}

/**
 * An exponential moving average that is not drawn to zero in the beginning, as TensorBoard has it: the average of the points so far, in
 * which one weighs `weight` times what the next one does.
 * @param {readonly (number | null)[]} values
 * @param {number} weight from 0 (the values themselves) to below 1
 * @returns {(number | null)[]}
 */
export function smoothed(values, weight) {
  let [average, total] = [0, 0]
  return values.map((value) => {
    if (value === null) return null
    average = weight * average + (1 - weight) * value
    total = weight * total + (1 - weight)
    return average / total
  })
}

/**
 * Points in the order of x, which a training that was resumed from an earlier step breaks.
 * @param {readonly (number | null)[]} xs
 * @param {readonly (number | null)[]} values
 * @returns {{ x: readonly (number | null)[], y: readonly (number | null)[] }}
 */
export function ascending(xs, values) {
  let [last, isAscending] = [-Infinity, true]
  for (const x of xs) {
    if (x === null) continue
    if (x < last) isAscending = false
    last = x
  }
  if (isAscending) return { x: xs, y: values }
  const order = xs.flatMap((x, i) => (x === null ? [] : [i])).sort((a, b) => Number(xs[a]) - Number(xs[b]) || a - b)
  return { x: order.map((i) => xs[i]), y: order.map((i) => values[i]) }
}

/**
 * The column that is x; times are in seconds. Points without an epoch are left out by the null they have there.
 * @param {Columns} columns
 * @param {XAxis} axis
 * @param {number} [started] when the run began, for times since then
 * @returns {(number | null)[]}
 */
export function xOf(columns, axis, started) {
  if (axis === 'step') return columns.step
  if (axis === 'epoch') return columns.epoch
  if (axis === 'wall') return columns.time.map((time) => time / 1000)
  const from = started ?? columns.time[0] ?? 0
  return columns.time.map((time) => (time - from) / 1000)
}

/**
 * The steps that lie between two values of x, and the one before and behind, so that lines go on to the edge.
 * @param {Columns} columns
 * @param {readonly (number | null)[]} xs
 * @param {number} from
 * @param {number} to
 * @returns {readonly [number, number] | null}
 */
export function stepsBetween(columns, xs, from, to) {
  const inside = xs.flatMap((x, i) => (x !== null && x >= from && x <= to ? [i] : []))
  if (xs.length === 0) return null
  const first = inside[0] ?? xs.findLastIndex((x) => x !== null && x < from)
  const last = inside.at(-1) ?? xs.findIndex((x) => x !== null && x > to)
  if (first < 0 || last < 0) return null
  return [columns.step[Math.max(0, first - 1)], columns.step[Math.min(xs.length - 1, last + 1)]]
}

/**
 * Which of ascending numbers is nearest to one; nulls are passed over.
 * @param {readonly (number | null)[]} xs
 * @param {number} x
 */
export function nearest(xs, x) {
  let [low, high] = [0, xs.length - 1]
  while (low < high) {
    const middle = (low + high) >> 1
    const at = xs[middle]
    if (at !== null && at < x) low = middle + 1
    else high = middle
  }
  const [before, at] = [xs[low - 1] ?? null, xs[low] ?? null]
  return before !== null && (at === null || x - before < at - x) ? low - 1 : low
}

/**
 * What a chart is in numbers, for a table beside it.
 * @param {Columns} columns
 */
export function extremesOf({ step, value, total }) {
  const points = value.flatMap((at, i) => (at === null ? [] : [{ step: step[i], value: at }]))
  let [lowest, highest] = [points[0], points[0]]
  for (const point of points) {
    if (point.value < lowest.value) lowest = point
    if (point.value > highest.value) highest = point
  }
  return {
    total,
    first: points[0] ?? null,
    last: points.at(-1) ?? null,
    lowest: lowest ?? null,
    highest: highest ?? null,
  }
}
