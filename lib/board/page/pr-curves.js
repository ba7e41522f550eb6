// Precision over recall of classifiers of two classes, by threshold, with the area under the line and all figures as a table.
import { drawing, element, newId, replace } from './dom.js'
import { averagePrecision } from './figures.js'
import { short } from './format.js'
import { followRecords, leafing, placeText } from './pick.js'

/** @typedef {Extract<import('./source.js').RunRecord, { type: 'prCurve' }>} PrCurve */

const [side, margin, foot] = [260, 36, 30]

/**
 * @param {import('./source.js').RunSummary} run
 * @param {string} tag
 * @param {AbortSignal} signal
 */
export function prCurveCard(run, tag, signal) {
  const id = newId()
  const content = element('div', {})
  const leaf = leafing('At', (/** @type {PrCurve} */ record) => replace(content, prFigure(tag, record)))
  followRecords(run, 'prCurve', tag, leaf.set, signal)
  return element(
    'section',
    { class: 'card', 'aria-labelledby': id },
    element('header', {}, element('h2', { id }, `Precision and recall: ${tag}`), leaf.node),
    content,
  )
}

/** @param {string} tag @param {PrCurve} record */
function prFigure(tag, record) {
  const { value } = record
  const text = `${placeText(record)}: average precision ${short(averagePrecision(value))}`
  const left = /** @param {number} recall */ (recall) => margin + recall * side
  const top = /** @param {number} precision */ (precision) => 8 + (1 - precision) * side
  const points = value.recall.map((recall, i) => `${left(recall)},${top(value.precision[i])}`)
  const ticks = [0, 0.25, 0.5, 0.75, 1].flatMap((at) => [
    drawing('line', { class: 'grid', x1: left(at), x2: left(at), y1: top(0), y2: top(1) }),
    drawing('line', { class: 'grid', x1: left(0), x2: left(1), y1: top(at), y2: top(at) }),
    drawing('text', { class: 'tick', x: left(at), y: top(0) + 15, 'text-anchor': 'middle' }, at),
    drawing('text', { class: 'tick', x: left(0) - 6, y: top(at) + 4, 'text-anchor': 'end' }, at),
  ])
  const frame = { width: margin + side + 16, height: side + 8 + foot }
  return [
    element('p', { class: 'quiet' }, text),
    drawing(
      'svg',
      {
        ...frame,
        viewBox: `0 0 ${frame.width} ${frame.height}`,
        role: 'img',
        'aria-label': `${tag}, precision over recall. ${text}`,
      },
      ticks,
      drawing('polyline', { class: 'pr-line', points: points.join(' ') }),
      drawing('text', { class: 'tick', x: left(1), y: top(0) + 28, 'text-anchor': 'end' }, 'recall'),
    ),
    element(
      'details',
      { class: 'as-table' },
      element('summary', {}, 'Numbers', element('span', { class: 'visually-hidden' }, ` of ${tag}`)),
      prTable(tag, value),
    ),
  ]
}

/** @param {string} tag @param {PrCurve['value']} value */
function prTable(tag, { thresholds, precision, recall, truePositives, falsePositives, trueNegatives, falseNegatives }) {
  const heads = [
    'threshold',
    'precision',
    'recall',
    'true positives',
    'false positives',
    'true negatives',
    'false negatives',
  ]
  const columns = [precision, recall, truePositives, falsePositives, trueNegatives, falseNegatives]
  const rows = thresholds.map((threshold, i) =>
    element(
      'tr',
      {},
      element('th', { scope: 'row', class: 'number' }, short(threshold)),
      columns.map((column) => element('td', { class: 'number' }, short(column[i]))),
    ),
  )
  const head = element(
    'tr',
    {},
    heads.map((text) => element('th', { scope: 'col', class: 'number' }, text)),
  )
  return element(
    'div',
    { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': `Thresholds of ${tag}` },
    element('table', {}, element('thead', {}, head), element('tbody', {}, rows)),
  )
}
