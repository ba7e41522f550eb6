// Histograms over time: one ridge behind the other, or a map of how dense values are; and their quantiles as a table.
import { choice, colourOf, element, newId, replace, tableUnder } from './dom.js'
import { noSuch } from './empty.js'
import { densities, quantileOf } from './figures.js'
import { short } from './format.js'
import { followRecords, placeText, viewOfRun } from './pick.js'
import { byName, colourNumber, listen } from './store.js'

/**
 * @typedef {Extract<import('./source.js').RunRecord, { type: 'histogram' }>} HistogramRecord
 */

const quantiles = [0.05, 0.25, 0.5, 0.75, 0.95]

/** @type {'ridges' | 'map'} */
let form = 'ridges'

const inView = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) if (isIntersecting) beginners.get(target)?.()
  },
  { rootMargin: '200px' },
)
/** @type {WeakMap<Element, () => void>} */
const beginners = new WeakMap()

/**
 * @param {HTMLElement} root
 * @param {AbortSignal} signal
 */
export function openHistograms(root, signal) {
  viewOfRun(
    root,
    signal,
    (content, run, signal, tools) => {
      const tags = [...run.tags.histogram].sort(byName)
      if (tags.length === 0)
        return replace(
          content,
          noSuch('histograms', 'Weights, gradients and activations are recorded with `histograms: "epoch"`.'),
        )
      /** @type {Set<() => void>} */
      const redraws = new Set()
      const redrawAll = () => {
        for (const redraw of redraws) redraw()
      }
      const forms = /** @type {const} */ ([
        ['ridges', 'ridges'],
        ['map', 'map of density'],
      ])
      const choose = /** @param {string} chosen */ (chosen) => {
        form = chosen === 'map' ? 'map' : 'ridges'
        redrawAll()
      }
      replace(tools, choice('Form', forms, form, choose))
      replace(
        content,
        element(
          'div',
          { class: 'charts' },
          tags.map((tag) => histogramCard(run, tag, redraws, signal)),
        ),
      )
      listen('theme', redrawAll, signal)
    },
    ({ tags }) => JSON.stringify(tags.histogram),
  )
}

/**
 * @param {import('./source.js').RunSummary} run
 * @param {string} tag
 * @param {Set<() => void>} redraws
 * @param {AbortSignal} signal
 */
function histogramCard(run, tag, redraws, signal) {
  const id = newId()
  const canvas = element('canvas', { role: 'img', 'aria-label': tag })
  const caption = element('p', { class: 'note' })
  const table = element('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': `Quantiles of ${tag}` })
  /** @type {HistogramRecord[]} */
  let known = []
  const draw = () => {
    if (known.length === 0) return
    drawHistograms(canvas, known, colourNumber(run.id))
    const last = known[known.length - 1]
    const [low, middle, high] = [0.05, 0.5, 0.95].map((part) => short(quantileOf(last.value, part)))
    canvas.setAttribute(
      'aria-label',
      `${tag} at ${known.length} places up to ${placeText(last)}, where the median is ${middle} and nine in ten lie from ${low} to ${high}.`,
    )
    caption.textContent = `${placeText(last)}: median ${middle}, 90 % within ${low} … ${high}${last.value.notFinite > 0 ? `, ${last.value.notFinite} not finite` : ''}`
    if (details.open) replace(table, quantileTable(known))
  }
  const details = element(
    'details',
    { class: 'as-table', ontoggle: draw },
    element('summary', {}, 'Quantiles', element('span', { class: 'visually-hidden' }, ` of ${tag}`)),
    table,
  )
  const card = element(
    'section',
    { class: 'card', 'aria-labelledby': id },
    element('header', {}, element('h2', { id }, tag)),
    canvas,
    caption,
    details,
  )
  beginners.set(card, () => {
    beginners.delete(card)
    inView.unobserve(card)
    followRecords(
      run,
      'histogram',
      tag,
      (records) => {
        known = records
        draw()
      },
      signal,
    )
  })
  inView.observe(card)
  redraws.add(draw)
  const resized = new ResizeObserver(draw)
  resized.observe(card)
  signal.addEventListener('abort', () => {
    resized.disconnect()
    inView.unobserve(card)
  })
  return card
}

/** @param {readonly HistogramRecord[]} records */
function quantileTable(records) {
  const heads = ['step', 'lowest', ...quantiles.map((part) => `${100 * part} %`), 'highest', 'mean', 'not finite']
  const rows = [...records].reverse().map(({ step, value }) => {
    const count = value.counts.reduce((a, b) => a + b, 0)
    const figures = [
      value.minimum,
      ...quantiles.map((part) => quantileOf(value, part)),
      value.maximum,
      value.sum / count,
      value.notFinite,
    ]
    return element(
      'tr',
      {},
      element('th', { scope: 'row', class: 'number' }, step),
      figures.map((figure) => element('td', { class: 'number' }, short(figure))),
    )
  })
  return tableUnder(heads, rows)
}

/** Ridges that are drawn at most: more of them would be lines without a form. */
const ridgesDrawn = 40

/**
 * @param {HTMLCanvasElement} canvas
 * @param {readonly HistogramRecord[]} records
 * @param {number} colour
 */
function drawHistograms(canvas, records, colour) {
  const [width, height] = [canvas.clientWidth, 220]
  if (width === 0) return
  const ratio = devicePixelRatio
  canvas.width = Math.round(width * ratio)
  canvas.height = Math.round(height * ratio)
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'))
  context.scale(ratio, ratio)
  const low = Math.min(...records.map(({ value }) => value.minimum))
  const top = Math.max(...records.map(({ value }) => value.maximum))
  const high = top > low ? top : low + (Math.abs(low) || 1) * 0.1
  const every = Math.ceil(records.length / (form === 'ridges' ? ridgesDrawn : height))
  const some = records.filter((_, i) => (records.length - 1 - i) % every === 0)
  const rows = some.map(({ value }) => densities(value, low, high))
  const greatest = Math.max(...rows.map((row) => Math.max(...row)), 1e-12)
  const frame = { left: 6, right: width - 52, top: 34, bottom: height - 22 }
  const paint = form === 'ridges' ? drawRidges : drawMap
  paint(context, rows, greatest, frame, colour)
  drawLabels(context, some, low, high, frame)
}

/** @typedef {{ left: number, right: number, top: number, bottom: number }} Frame */

/** The last one in front. @param {CanvasRenderingContext2D} context @param {readonly Float64Array[]} rows @param {number} greatest @param {Frame} frame @param {number} colour */
function drawRidges(context, rows, greatest, { left, right, top, bottom }, colour) {
  const tall = rows.length < 3 ? (bottom - top) / (rows.length + 0.3) : Math.min(60, (bottom - top) * 0.5)
  const space = rows.length > 1 ? (bottom - top - 30) / (rows.length - 1) : 0
  const [line, back] = [colourOf(`--run-${colour}`), colourOf('--card')]
  rows.forEach((row, r) => {
    const base = rows.length > 1 ? top + 30 + r * space : bottom
    const at = /** @param {number} c */ (c) => left + ((right - left) * (c + 0.5)) / row.length
    context.beginPath()
    context.moveTo(left, base)
    for (const [c, value] of row.entries()) context.lineTo(at(c), base - (tall * value) / greatest)
    context.lineTo(right, base)
    context.fillStyle = back
    context.fill()
    context.globalAlpha = 0.12 + (0.3 * (r + 1)) / rows.length
    context.fillStyle = line
    context.fill()
    context.globalAlpha = 0.35 + (0.65 * (r + 1)) / rows.length
    context.strokeStyle = line
    context.lineWidth = 1
    context.stroke()
    context.globalAlpha = 1
  })
}

/** The first one above. @param {CanvasRenderingContext2D} context @param {readonly Float64Array[]} rows @param {number} greatest @param {Frame} frame @param {number} colour */
function drawMap(context, rows, greatest, { left, right, top, bottom }, colour) {
  context.fillStyle = colourOf(`--run-${colour}`)
  const [from, tall] = [top - 26, (bottom - top + 26) / rows.length]
  rows.forEach((row, r) => {
    const wide = (right - left) / row.length
    row.forEach((value, c) => {
      if (value === 0) return
      context.globalAlpha = 0.06 + 0.94 * Math.sqrt(value / greatest)
      context.fillRect(left + c * wide, from + r * tall, wide + 0.3, tall + 0.3)
    })
  })
  context.globalAlpha = 1
}

/** @param {CanvasRenderingContext2D} context @param {readonly HistogramRecord[]} some @param {number} low @param {number} high @param {Frame} frame */
function drawLabels(context, some, low, high, { left, right, top, bottom }) {
  context.font = '11px system-ui, sans-serif'
  context.fillStyle = colourOf('--quiet')
  for (const [part, align] of /** @type {const} */ ([
    [0, 'left'],
    [0.5, 'center'],
    [1, 'right'],
  ])) {
    context.textAlign = align
    context.fillText(short(low + part * (high - low)), left + part * (right - left), bottom + 16)
  }
  context.textAlign = 'left'
  const first = form === 'ridges' ? top + 30 : top - 16
  if (some.length > 1) context.fillText(short(some[0].step), right + 6, first + 4)
  context.fillText(short(some[some.length - 1].step), right + 6, bottom)
}
