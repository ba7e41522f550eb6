// What the model takes for what: the confusion matrix, and the examples that it is most wrong about.
import { choice, element, newId, replace } from './dom.js'
import { noSuch } from './empty.js'
import { percent, short } from './format.js'
import { picture } from './media.js'
import { followRecords, leafing, placeText, viewOfRun } from './pick.js'
import { prCurveCard } from './pr-curves.js'
import { byName } from './store.js'

/** @typedef {Extract<import('./source.js').RunRecord, { type: 'confusion' }>} Confusion */

/** @type {'counts' | 'shares'} */
let shownAs = 'counts'

/**
 * @param {HTMLElement} root
 * @param {AbortSignal} signal
 */
export function openPredictions(root, signal) {
  viewOfRun(
    root,
    signal,
    (content, run, signal) => {
      const [hasConfusion, hasExamples] = [run.has.includes('confusion'), run.has.includes('examples')]
      const curves = [...run.tags.prCurve].sort(byName)
      if (!hasConfusion && !hasExamples && curves.length === 0)
        return replace(
          content,
          noSuch(
            'predictions',
            'A classifier with validation data records them with `confusion: true` and `examples: 12`.',
          ),
        )
      replace(
        content,
        hasConfusion && confusionCard(run, signal),
        curves.map((tag) => prCurveCard(run, tag, signal)),
        hasExamples && examplesCard(run, signal),
      )
    },
    ({ has, tags }) => JSON.stringify([has, tags.prCurve]),
  )
}

/** @param {import('./source.js').RunSummary} run @param {AbortSignal} signal */
function confusionCard(run, signal) {
  const id = newId()
  const table = element('div', {
    class: 'scroll',
    tabindex: 0,
    role: 'region',
    'aria-label': 'Rows by class and prediction',
  })
  /** @type {Confusion | undefined} */
  let shown
  const draw = () => shown !== undefined && replace(table, confusionTable(shown))
  const leaf = leafing('At', (/** @type {Confusion} */ record) => {
    shown = record
    draw()
  })
  const form = choice(
    'Cells',
    [
      ['counts', 'rows'],
      ['shares', 'share of the class'],
    ],
    shownAs,
    (chosen) => {
      shownAs = chosen === 'shares' ? 'shares' : 'counts'
      draw()
    },
  )
  followRecords(run, 'confusion', undefined, leaf.set, signal)
  return element(
    'section',
    { class: 'card', 'aria-labelledby': id },
    element('header', {}, element('h2', { id }, 'Confusion matrix'), form, leaf.node),
    element(
      'p',
      { class: 'quiet' },
      'A row is what the examples are, a column what they were taken for; the diagonal is right.',
    ),
    table,
  )
}

/** @param {readonly number[]} values */
const sum = (values) => values.reduce((a, b) => a + b, 0)

/** @param {Confusion} record */
function confusionTable({ labels, counts, step, epoch }) {
  const columns = labels.map((_, j) => sum(counts.map((row) => row[j] ?? 0)))
  const right = sum(counts.map((row, i) => row[i] ?? 0))
  const all = sum(columns)
  const head = element(
    'tr',
    {},
    element('td', {}),
    labels.map((label) => element('th', { scope: 'col' }, element('span', {}, label))),
    element('th', { scope: 'col', class: 'end' }, element('span', {}, 'recall')),
  )
  const rows = counts.map((row, i) => {
    const total = sum([...row])
    return element(
      'tr',
      {},
      element('th', { scope: 'row' }, labels[i] ?? i),
      row.map((count, j) => confusionCell(count, total, i === j, `${labels[i] ?? i} taken for ${labels[j] ?? j}`)),
      element('td', { class: 'number end' }, percent((row[i] ?? 0) / total)),
    )
  })
  const precision = element(
    'tr',
    {},
    element('th', { scope: 'row' }, 'precision'),
    columns.map((total, j) => element('td', { class: 'number' }, percent((counts[j]?.[j] ?? 0) / total))),
    element('td', { class: 'number end' }, percent(right / all)),
  )
  return element(
    'table',
    { class: 'confusion' },
    element(
      'caption',
      {},
      `${placeText({ step, epoch })}: ${short(right)} of ${short(all)} right, ${percent(right / all)}`,
    ),
    element('thead', {}, head),
    element('tbody', {}, rows),
    element('tfoot', {}, precision),
  )
}

/** Shaded by its share of the class, up to where text can still be read on it. @param {number} count @param {number} total @param {boolean} isRight @param {string} title */
function confusionCell(count, total, isRight, title) {
  const share = total > 0 ? count / total : 0
  const text = shownAs === 'counts' ? short(count) : percent(share)
  return element(
    'td',
    {
      class: `number ${isRight ? 'right' : 'wrong'}${count === 0 ? ' none' : ''}`,
      title,
      style: { '--share': share > 0 ? Math.sqrt(share).toFixed(3) : 0 },
    },
    text,
  )
}

/** @param {import('./source.js').RunSummary} run @param {AbortSignal} signal */
function examplesCard(run, signal) {
  const id = newId()
  const list = element('ul', { class: 'examples' })
  const leaf = leafing(
    'At',
    (/** @type {Extract<import('./source.js').RunRecord, { type: 'examples' }>} */ { examples, labels }) => {
      const name = /** @param {number} i */ (i) => labels[i] ?? String(i)
      replace(
        list,
        examples.map(({ row, label, predicted, probability, image }) =>
          element(
            'li',
            {},
            element(
              'figure',
              {},
              image !== undefined && picture(image, `Row ${row}`),
              element(
                'figcaption',
                {},
                element('strong', {}, name(label)),
                element('span', {}, `taken for ${name(predicted)}`),
                element('span', { class: 'quiet' }, `${percent(probability)} · row ${row}`),
              ),
            ),
          ),
        ),
      )
    },
  )
  followRecords(run, 'examples', undefined, leaf.set, signal)
  return element(
    'section',
    { class: 'card', 'aria-labelledby': id },
    element('header', {}, element('h2', { id }, 'Most wrong'), leaf.node),
    element('p', { class: 'quiet' }, 'Examples of the validation data whose own class the model gives the least.'),
    list,
  )
}
