// A chart of one tag: what is seen of it is asked for, drawn as it was chosen, and listed as a table.
import { Chart, many } from './chart.js'
import { element, inTurn, newId, oncePerFrame, replace } from './dom.js'
import { short } from './format.js'
import { onSeries, pointsFor, seriesBetween, seriesOf, want } from './scalars.js'
import { ascending, extremesOf, smoothed, stepsBetween, xOf } from './series.js'
import { colourNumber, dashNumber, nameOf, runs, settings, shownRuns } from './store.js'

/**
 * @typedef {import('./series.js').Columns} Columns
 * @typedef {{
 *   title?: string
 *   format?: (value: number) => string
 *   has?: (run: import('./store.js').RunSummary) => boolean
 *   smoothing?: number
 *   heading?: 'h2' | 'h3'
 * }} Figure what differs from a tag of scalars
 */

const inView = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) owners.get(target)?.see(isIntersecting)
  },
  { rootMargin: '200px' },
)
/** @type {WeakMap<Element, ScalarChart>} */
const owners = new WeakMap()

/** A chart of one tag of all runs that are shown, which asks for what it shows when it comes into view. */
export class ScalarChart {
  #closing = new AbortController()
  #isSeen = false
  /** Finer series of the part that is zoomed to. @type {Map<string, Columns> | null} */
  #detail = null
  #table = element('div', { class: 'chart-table' })
  #reset = element(
    'button',
    { type: 'button', class: 'small', hidden: true, onclick: () => this.#chart.reset() },
    'Show all',
  )
  #note = element('p', { class: 'note', hidden: true })
  #isTableOpen = false

  /**
   * @param {string} tag
   * @param {Figure} [figure]
   */
  constructor(tag, figure = {}) {
    this.tag = tag
    this.#figure = figure
    const { title = tag, format } = figure
    this.#chart = new Chart({
      label: title,
      ...axesOptions(),
      ...(format && { format }),
      zoomed: (range) => this.#zoomed(range),
    })
    const id = newId()
    const wide = element(
      'button',
      {
        type: 'button',
        class: 'small',
        'aria-pressed': 'false',
        'aria-label': `Enlarge ${title}`,
        onclick: () => this.#enlarge(wide),
      },
      'Enlarge',
    )
    const table = element(
      'details',
      { class: 'as-table', ontoggle: () => this.#openTable(table.open) },
      element('summary', {}, 'Numbers', element('span', { class: 'visually-hidden' }, ` of ${title}`)),
      this.#table,
    )
    this.node = element(
      'section',
      { class: 'card', 'aria-labelledby': id },
      element('header', {}, element(figure.heading ?? 'h3', { id }, title), this.#reset, wide),
      this.#chart.node,
      this.#note,
      table,
    )
    owners.set(this.node, this)
    inView.observe(this.node)
    onSeries(tag, () => this.#changed(), this.#closing.signal)
  }

  #chart
  #figure

  /** @param {HTMLButtonElement} button */
  #enlarge(button) {
    const isWide = this.node.classList.toggle('wide')
    button.setAttribute('aria-pressed', String(isWide))
    button.textContent = isWide ? 'Reduce' : 'Enlarge'
    this.#chart.setHeight(isWide ? 420 : 210)
  }

  /** @param {boolean} isSeen */
  see(isSeen) {
    this.#isSeen = isSeen
    if (isSeen) this.update()
  }

  close() {
    this.#closing.abort()
    inView.unobserve(this.node)
    this.#chart.destroy()
  }

  /** Asks for what is missing and draws what is there, when the chart is in view. */
  update = oncePerFrame(() => {
    if (!this.#isSeen) return
    want(
      this.tag,
      this.#runs().map(({ id }) => id),
    )
    this.#draw()
  })

  /** What arrived is drawn at once, and asks for nothing. */
  #changed = inTurn(() => {
    if (this.#isSeen) this.#draw()
  })

  recolour() {
    this.#chart.redraw()
  }

  /** @param {object} changes */
  setAxes(changes) {
    const isOfAxes = Object.keys(changes).some((name) => name !== 'smoothing')
    if (isOfAxes) {
      this.#detail = null
      this.#reset.hidden = true
      this.#chart.setOptions(axesOptions())
    }
    this.#changed()
  }

  #runs = () => shownRuns().filter(this.#figure.has ?? (({ tags }) => tags.scalars.includes(this.tag)))

  #draw() {
    const weight = this.#figure.smoothing ?? settings.smoothing
    let left = 0
    const ofRuns = this.#runs()
    const isFaintSeen = weight > 0 && ofRuns.length <= many
    const lines = ofRuns.flatMap((run) => {
      const columns = this.#detail?.get(run.id) ?? seriesOf(this.tag, run.id)
      if (!columns) return []
      if (settings.logY) for (const value of columns.value) if (value !== null && value <= 0) left++
      const { x, y: values } = ascending(xOf(columns, settings.x, run.started), columns.value)
      const y = weight > 0 ? smoothed(values, weight) : values
      const look = { name: nameOf(run), colour: colourNumber(run.id), dash: dashNumber(run.id) }
      return [{ id: run.id, ...look, x, y, ...(isFaintSeen && { faint: values }) }]
    })
    this.#chart.setLines(lines)
    this.#chart.label = `${this.#figure.title ?? this.tag}: ${lines.length === 1 ? 'one run' : `${lines.length} runs`}. Arrow keys read values, plus and minus zoom, Escape shows all.`
    this.#note.hidden = left === 0
    this.#note.textContent = `${left} points are not above zero and have no place on a logarithmic axis.`
    if (this.#isTableOpen) this.#fillTable()
  }

  /** @param {boolean} isOpen */
  #openTable(isOpen) {
    this.#isTableOpen = isOpen
    if (isOpen) this.#fillTable()
  }

  #fillTable() {
    const rows = this.#runs().flatMap((run) => {
      const columns = seriesOf(this.tag, run.id)
      if (!columns) return []
      const { total, first, last, lowest, highest } = extremesOf(columns)
      const cell = /** @param {{ step: number, value: number } | null} point */ (point) => [
        element('td', { class: 'number' }, (this.#figure.format ?? short)(point?.value ?? NaN)),
        element('td', { class: 'number quiet' }, point === null ? '–' : `@ ${short(point.step)}`),
      ]
      return [
        element(
          'tr',
          {},
          element('th', { scope: 'row' }, nameOf(run)),
          element('td', { class: 'number' }, total),
          ...[first, last, lowest, highest].flatMap(cell),
        ),
      ]
    })
    const heads = ['first', 'last', 'lowest', 'highest'].map((text) =>
      element('th', { scope: 'colgroup', colspan: 2 }, text),
    )
    const head = element(
      'tr',
      {},
      element('th', { scope: 'col' }, 'run'),
      element('th', { scope: 'col' }, 'points'),
      ...heads,
    )
    replace(
      this.#table,
      element(
        'div',
        { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': `Numbers of ${this.tag}` },
        element('table', {}, element('thead', {}, head), element('tbody', {}, rows)),
      ),
    )
  }

  /** A part that is zoomed to is asked for anew, as finely as it can be shown. @param {readonly [number, number] | null} range */
  async #zoomed(range) {
    this.#reset.hidden = range === null
    this.#detail = null
    if (range === null) return this.#changed()
    const ids = this.#runs().map(({ id }) => id)
    const isThin = ids.some(
      (id) =>
        (seriesOf(this.tag, id)?.total ?? 0) >
        Math.max(pointsFor(ids.length), seriesOf(this.tag, id)?.step.length ?? 0),
    )
    if (!isThin) return this.#changed()
    const steps = ids.flatMap((id) => {
      const columns = seriesOf(this.tag, id)
      return (
        (columns && stepsBetween(columns, xOf(columns, settings.x, runs.get(id)?.started), range[0], range[1])) ?? []
      )
    })
    if (steps.length === 0) return
    const detail = await seriesBetween(ids, this.tag, [Math.min(...steps), Math.max(...steps)]).catch(() => null)
    if (this.#chart.zoom !== range) return
    this.#detail = detail
    this.#changed()
  }
}

/** @returns {Partial<import('./chart.js').ChartOptions>} */
function axesOptions() {
  const xKind = settings.x === 'wall' ? 'clock' : settings.x === 'relative' ? 'duration' : 'number'
  return {
    xKind,
    xName: settings.x === 'relative' ? 'after' : settings.x,
    logX: settings.logX && xKind !== 'clock',
    logY: settings.logY,
  }
}
