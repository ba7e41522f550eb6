// One chart of lines over one another, drawn by uPlot: every line has its own x. Drag to zoom, double-click or Escape to see all again; with
// the keyboard arrows move the cursor, and + and − zoom.
import { announce, colourOf, element, inTurn } from './dom.js'
import { duration, short } from './format.js'
import { nearest } from './series.js'

/**
 * @typedef {{
 *   id: string
 *   name: string
 *   colour: number
 *   dash: number
 *   x: readonly (number | null)[]
 *   y: readonly (number | null)[]
 *   faint?: readonly (number | null)[]
 * }} Line
 * @typedef {{
 *   label: string
 *   xKind?: 'number' | 'duration' | 'clock'
 *   xName?: string
 *   logX?: boolean
 *   logY?: boolean
 *   height?: number
 *   format?: (value: number) => string
 *   zoomed?: (range: readonly [number, number] | null) => void
 * }} ChartOptions
 */

const patterns = [[], [7, 4], [2, 3], [9, 3, 2, 3]]

/** Beyond so many lines they are thin, and what was smoothed is not seen behind them. */
export const many = 24

/** How many lines the readout lists. */
const listed = 10

/** uPlot draws one line at least. @type {Line} */
const noLine = { id: '', name: '', colour: 0, dash: 0, x: [], y: [] }

export class Chart {
  /** @type {import('uplot') | null} */
  #plot = null
  /** @type {readonly Line[]} */
  #lines = [noLine]
  /** Where somebody zoomed to. @type {readonly [number, number] | null} */
  #zoom = null
  #options
  #readout = element('div', { class: 'readout', hidden: true, 'aria-hidden': 'true' })
  #area = element('div', { class: 'chart-area' })
  /** The x that the keyboard is at. @type {number | null} */
  #at = null
  #resized = new ResizeObserver(() => this.#resize())

  /** @param {ChartOptions} options */
  constructor(options) {
    this.#options = options
    this.node = element(
      'div',
      {
        class: 'chart',
        tabindex: 0,
        role: 'group',
        'aria-roledescription': 'chart',
        'aria-label': options.label,
        onkeydown: this.#key,
      },
      this.#area,
      this.#readout,
    )
    this.#resized.observe(this.#area)
  }

  /** The x-range that is shown, unless all is. */
  get zoom() {
    return this.#zoom
  }

  /** Says of it what somebody hears who does not see it. @param {string} text */
  set label(text) {
    if (this.node.getAttribute('aria-label') !== text) this.node.setAttribute('aria-label', text)
  }

  /** @param {readonly Line[]} given */
  setLines(given) {
    const lines = given.length > 0 ? given : [noLine]
    const isSame = lines.length === this.#lines.length && lines.every((line, i) => isAlike(line, this.#lines[i]))
    this.#lines = lines
    if (!isSame) this.#remove()
    this.#draw()
  }

  /** @param {Partial<ChartOptions>} changes */
  setOptions(changes) {
    this.#options = { ...this.#options, ...changes }
    this.#zoom = null
    this.redraw()
  }

  /** @param {number} height */
  setHeight(height) {
    this.#options.height = height
    this.redraw()
  }

  /** As colours changed. */
  redraw() {
    this.#remove()
    this.#draw()
  }

  #remove() {
    this.#plot?.destroy()
    this.#plot = null
  }

  destroy() {
    this.#resized.disconnect()
    this.#remove()
  }

  #draw = inTurn(() => {
    if (!this.node.isConnected || this.#area.clientWidth === 0) return
    this.#plot ??= this.#make()
    this.#update(this.#plot)
  })

  #resize() {
    const width = this.#area.clientWidth
    if (this.#plot === null) this.#draw()
    else if (width > 0 && width !== this.#plot.width) this.#plot.setSize({ width, height: this.#options.height ?? 210 })
  }

  #update(/** @type {import('uplot')} */ plot) {
    const [x, y] = this.#ranges()
    plot.batch(() => {
      plot.setData(/** @type {any} */ ([null, ...this.#data()]), false)
      plot.setScale('x', { min: x[0], max: x[1] })
      plot.setScale('y', { min: y[0], max: y[1] })
    })
    if (this.#at !== null) this.#showReadout(this.#at)
  }

  /** Behind each line that is smoothed stand the values themselves. */
  #data() {
    return [
      ...this.#lines.flatMap(({ x, faint }) => (faint === undefined ? [] : [[x, faint]])),
      ...this.#lines.map(({ x, y }) => [x, y]),
    ]
  }

  /** @returns {[[number, number], [number, number]]} */
  #ranges() {
    const { logX = false, logY = false } = this.#options
    let [x0, x1, y0, y1] = [Infinity, -Infinity, Infinity, -Infinity]
    const [from, to] = this.#zoom ?? [-Infinity, Infinity]
    for (const [xs, ys] of this.#data())
      for (let i = 0; i < xs.length; i++) {
        const [x, y] = [xs[i], ys[i]]
        if (x === null || y === null || x < from || x > to || (logX && x <= 0) || (logY && y <= 0)) continue
        if (x < x0) x0 = x
        if (x > x1) x1 = x
        if (y < y0) y0 = y
        if (y > y1) y1 = y
      }
    const x = this.#zoom ?? padded(x0, x1, logX, 0)
    return [[x[0], x[1]], padded(y0, y1, logY, 0.06)]
  }

  #make() {
    const { logX = false, logY = false, xKind = 'number', height = 210, format = short } = this.#options
    const [text, grid] = [colourOf('--quiet'), colourOf('--grid')]
    const font = '11px system-ui, sans-serif'
    const axis = { stroke: text, font, grid: { stroke: grid, width: 1 }, ticks: { show: false } }
    const xValues =
      xKind === 'clock' ? {} : { values: splitsBy(xKind === 'duration' ? (value) => duration(1000 * value) : short) }
    /** @type {any} */
    const options = {
      mode: 2,
      width: this.#area.clientWidth,
      height,
      padding: [8, 18, 0, 0],
      legend: { show: false },
      scales: {
        x: { time: xKind === 'clock', auto: false, distr: logX ? 3 : 1 },
        y: { auto: false, distr: logY ? 3 : 1 },
      },
      series: [{}, ...this.#series()],
      axes: [
        { ...axis, size: 22, gap: 3, space: xKind === 'clock' ? 80 : 56, ...xValues },
        { ...axis, gap: 4, size: widthOf, values: splitsBy(format), space: 28 },
      ],
      cursor: {
        y: false,
        points: { show: false },
        drag: { x: true, y: false, setScale: false, dist: 4 },
        bind: { dblclick: () => () => void this.reset() },
      },
      hooks: {
        setSelect: [(/** @type {any} */ plot) => this.#selected(plot)],
        setCursor: [(/** @type {any} */ plot) => this.#pointed(plot)],
      },
    }
    return new uPlot(options, /** @type {any} */ ([null, ...this.#data()]), this.#area)
  }

  #series() {
    const facets = [
      { scale: 'x', auto: false },
      { scale: 'y', auto: false },
    ]
    const one = /** @param {Line} line @param {boolean} isFaint */ ({ colour, dash }, isFaint) => ({
      facets,
      stroke: colourOf(`--run-${colour}`),
      alpha: isFaint ? 0.22 : 1,
      width: isFaint || this.#lines.length > many ? 1 : 1.6,
      dash: isFaint ? [] : patterns[dash],
      paths: linePath,
    })
    return [
      ...this.#lines.flatMap((line) => (line.faint === undefined ? [] : [one(line, true)])),
      ...this.#lines.map((line) => one(line, false)),
    ]
  }

  /** @param {import('uplot')} plot */
  #selected(plot) {
    const { left, width } = plot.select
    if (width < 4) return
    const [from, to] = [plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x')]
    plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false)
    this.zoomTo([from, to])
  }

  /** @param {readonly [number, number] | null} range */
  zoomTo(range) {
    this.#zoom = range
    this.node.classList.toggle('zoomed', range !== null)
    this.#options.zoomed?.(range)
    this.#draw()
  }

  reset() {
    if (this.#zoom !== null) this.zoomTo(null)
  }

  /** @param {import('uplot')} plot */
  #pointed(plot) {
    const { left = -1 } = plot.cursor
    if (left < 0) {
      this.#readout.hidden = true
      this.#at = null
      return
    }
    this.#at = plot.posToVal(left, 'x')
    this.#showReadout(this.#at)
  }

  /** @param {number} x */
  #valuesAt(x) {
    return this.#lines
      .flatMap((line) => {
        const i = nearest(line.x, x)
        const value = line.y[i] ?? null
        return value === null
          ? []
          : [{ line, x: /** @type {number} */ (line.x[i]), value, raw: line.faint?.[i] ?? null }]
      })
      .sort((a, b) => b.value - a.value)
  }

  /** @param {number} x */
  #showReadout(x) {
    const plot = this.#plot
    if (plot === null) return
    const all = this.#valuesAt(x)
    const { format = short } = this.#options
    const rows = all
      .slice(0, listed)
      .map(({ line, value, raw }) =>
        element(
          'tr',
          {},
          element('td', {}, swatch(line)),
          element('td', { class: 'name' }, line.name),
          element('td', { class: 'number' }, format(value)),
          raw !== null && element('td', { class: 'number faint' }, format(raw)),
        ),
      )
    const more = all.length > listed ? element('p', {}, `and ${all.length - listed} more`) : null
    this.#readout.replaceChildren(
      element('p', {}, this.#xText(all[0]?.x ?? x)),
      element('table', {}, ...rows),
      ...(more === null ? [] : [more]),
    )
    this.#readout.hidden = all.length === 0
    const left = plot.valToPos(x, 'x')
    const box = plot.over
    const isRight = left > box.clientWidth / 2
    this.#readout.style.setProperty('left', isRight ? 'auto' : `${box.offsetLeft + left + 12}px`)
    this.#readout.style.setProperty(
      'right',
      isRight ? `${this.#area.clientWidth - box.offsetLeft - left + 12}px` : 'auto',
    )
  }

  /** @param {number} x */
  #xText(x) {
    const { xKind = 'number', xName = 'step' } = this.#options
    if (xKind === 'clock') return new Date(1000 * x).toLocaleString('en-GB')
    return `${xName} ${xKind === 'duration' ? duration(1000 * x) : short(x)}`
  }

  /** @param {KeyboardEvent} event */
  #key = (event) => {
    const plot = this.#plot
    if (plot === null || event.target !== this.node || event.ctrlKey || event.metaKey || event.altKey) return
    const { min = 0, max = 1 } = plot.scales.x
    const at = this.#at ?? /** @type {number} */ (max)
    const moves = /** @type {Record<string, () => void>} */ ({
      ArrowLeft: () => this.#moveTo(at, event.shiftKey ? -10 : -1),
      ArrowRight: () => this.#moveTo(at, event.shiftKey ? 10 : 1),
      Home: () => this.#moveTo(/** @type {number} */ (min), 0),
      End: () => this.#moveTo(/** @type {number} */ (max), 0),
      Escape: () => this.reset(),
      '+': () => this.#zoomAround(at, 0.5),
      '-': () => this.#zoomAround(at, 2),
    })
    const move = moves[event.key]
    if (move === undefined) return
    event.preventDefault()
    move()
  }

  /** To a point so many pixels' worth of points away. @param {number} at @param {number} steps */
  #moveTo(at, steps) {
    const plot = /** @type {import('uplot')} */ (this.#plot)
    const width = plot.over.clientWidth
    const left = Math.max(0, Math.min(width, plot.valToPos(at, 'x') + (steps * width) / 50))
    plot.setCursor({ left, top: 1 })
    const values = this.#valuesAt(this.#at ?? at)
    const { format = short } = this.#options
    const text = values.slice(0, listed).map(({ line, value }) => `${line.name} ${format(value)}`)
    announce(`${this.#xText(values[0]?.x ?? at)}: ${text.join(', ')}`)
  }

  /** @param {number} at @param {number} factor */
  #zoomAround(at, factor) {
    const { min, max } = /** @type {import('uplot')} */ (this.#plot).scales.x
    if (min == null || max == null) return
    const half = ((max - min) * factor) / 2
    const middle = Math.max(min + half, Math.min(max - half, at))
    const whole = factor > 1 && this.#zoom === null
    if (!whole) this.zoomTo([middle - half, middle + half])
  }
}

/** @param {Line} a @param {Line} b */
const isAlike = (a, b) =>
  a.id === b.id && a.colour === b.colour && a.dash === b.dash && (a.faint === undefined) === (b.faint === undefined)

/**
 * A range that is never empty, with a margin as a part of it.
 * @param {number} low
 * @param {number} high
 * @param {boolean} isLog
 * @param {number} margin
 * @returns {[number, number]}
 */
function padded(low, high, isLog, margin) {
  if (low > high) return isLog ? [1, 10] : [0, 1]
  if (isLog) {
    const factor = low === high ? 2 : (high / low) ** margin
    return [low / factor, high * factor]
  }
  const extra = low === high ? Math.abs(low) * 0.1 || 1 : (high - low) * margin
  return [low - extra, high + extra]
}

/** What stands at the lines of a grid; where a logarithmic axis leaves one without text it is null. @param {(value: number) => string} format */
const splitsBy = (format) => (/** @type {any} */ _plot, /** @type {(number | null)[]} */ splits) =>
  splits.map((value) => (value === null ? '' : format(value)))

/** @param {any} _plot @param {string[] | null} values */
const widthOf = (_plot, values) => 14 + 6.4 * Math.max(3, ...(values ?? []).map((text) => text.length))

/**
 * A path through the points of one line that are in view, and the one before and behind.
 * @param {import('uplot')} plot
 * @param {number} number
 */
function linePath(plot, number) {
  const [xs, ys] = /** @type {[(number | null)[], (number | null)[]]} */ (/** @type {unknown} */ (plot.data[number]))
  const { min, max } = plot.scales.x
  const path = new Path2D()
  const [isLogX, isLogY] = [plot.scales.x.distr === 3, plot.scales.y.distr === 3]
  const from = Math.max(0, nearest(xs, /** @type {number} */ (min)) - 1)
  let isDown = false
  for (let i = from; i < xs.length; i++) {
    const [x, y] = [xs[i], ys[i]]
    if (x === null || y === null || (isLogX && x <= 0) || (isLogY && y <= 0)) {
      isDown = false
      continue
    }
    const [left, top] = [plot.valToPos(x, 'x', true), plot.valToPos(y, 'y', true)]
    if (isDown) path.lineTo(left, top)
    else path.moveTo(left, top)
    // A point without neighbours is a dot.
    if (!isDown && (ys[i + 1] ?? null) === null) path.arc(left, top, 1.5 * devicePixelRatio, 0, 2 * Math.PI)
    isDown = true
    if (x > /** @type {number} */ (max)) break
  }
  return { stroke: path, fill: null, clip: null, band: null, gaps: null, flags: 1 }
}

/** The colour and form of a line. @param {{ colour: number, dash: number }} line */
export const swatch = ({ colour, dash }) =>
  element('span', { class: `swatch dash-${dash}`, style: { '--colour': `var(--run-${colour})` } })
