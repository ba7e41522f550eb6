// Figures that are made of what was recorded: quantiles and densities of histograms, areas under curves.

/** @typedef {import('../../events/record.ts').HistogramValue} HistogramValue */

/**
 * The value that a part of the elements lies below: elements of a bin are taken to be spread evenly over it.
 * @param {HistogramValue} histogram
 * @param {number} part from 0 to 1
 */
export function quantileOf({ edges, counts }, part) {
  const total = counts.reduce((sum, count) => sum + count, 0)
  if (total === 0) return NaN
  let below = part * total
  for (let i = 0; i < counts.length; i++) {
    if (counts[i] > 0 && below <= counts[i]) return edges[i] + (edges[i + 1] - edges[i]) * (below / counts[i])
    below -= counts[i]
  }
  return edges[edges.length - 1]
}

/** How many columns of equal width a histogram is drawn in. */
const columnsDrawn = 96

/**
 * Counts per width in equal columns from `low` to `high`, as histograms of one tag have edges of their own.
 * @param {HistogramValue} histogram
 * @param {number} low
 * @param {number} high
 * @param {number} [columns]
 * @returns {Float64Array}
 */
export function densities({ edges, counts }, low, high, columns = columnsDrawn) {
  const found = new Float64Array(columns)
  const width = (high - low) / columns
  const at = /** @param {number} value */ (value) => Math.max(0, Math.min(columns, (value - low) / width))
  for (let i = 0; i < counts.length; i++) {
    if (!(counts[i] > 0)) continue
    const [from, to] = [at(edges[i]), at(edges[i + 1])]
    if (to - from < 1e-9) {
      found[Math.min(columns - 1, Math.floor(from))] += counts[i]
      continue
    }
    for (let c = Math.floor(from); c < to; c++)
      found[c] += (counts[i] * (Math.min(to, c + 1) - Math.max(from, c))) / (to - from)
  }
  return found
}

/**
 * The area under steps from one recall to the next higher one, each as high as the precision there: the average precision.
 * @param {{ precision: readonly number[], recall: readonly number[] }} curve
 */
export function averagePrecision({ precision, recall }) {
  const order = recall.map((_, i) => i).sort((a, b) => recall[a] - recall[b] || precision[b] - precision[a])
  let [area, before] = [0, 0]
  for (const i of order) {
    area += (recall[i] - before) * precision[i]
    before = recall[i]
  }
  return area
}
