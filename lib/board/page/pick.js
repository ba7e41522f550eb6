// Views of one run: which run, what it has of a type, and that being drawn anew as it writes more.
import { choice, element, oncePerFrame, replace } from './dom.js'
import { nothingYet } from './empty.js'
import { focus, listen, nameOf, runs, setFocus, source } from './store.js'

/**
 * @typedef {import('./source.js').RunSummary} RunSummary
 * @typedef {import('./source.js').RunRecord} RunRecord
 */

/** Milliseconds. */
const betweenReads = 1500

/**
 * @param {HTMLElement} root
 * @param {AbortSignal} signal
 * @param {(content: HTMLElement, run: RunSummary, signal: AbortSignal, tools: HTMLElement) => void} draw called for the run that is looked at, with
 *   a signal that ends with it, and a place beside the choice of the run
 * @param {(run: RunSummary) => string} [shapeOf] what makes the view another one
 */
export function viewOfRun(root, signal, draw, shapeOf = () => '') {
  const bar = element('div', { class: 'toolbar' })
  const content = element('div', { class: 'of-run' })
  const tools = element('div', { class: 'tools' })
  replace(root, bar, content)
  let drawing = new AbortController()
  let [listed, drawn] = ['', '']
  const update = oncePerFrame(() => {
    if (signal.aborted) return
    const run = focus()
    const list = JSON.stringify([...runs.keys(), run?.id])
    if (list !== listed) {
      listed = list
      const choices = [...runs.values()].reverse().map((run) => /** @type {const} */ ([run.id, nameOf(run)]))
      replace(bar, run !== undefined && choice('Run', choices, run.id, setFocus), tools)
    }
    const wanted = JSON.stringify([run?.id, run && shapeOf(run)])
    if (wanted === drawn) return
    drawn = wanted
    drawing.abort()
    drawing = new AbortController()
    replace(content)
    replace(tools)
    if (run === undefined) replace(content, nothingYet())
    else draw(content, run, drawing.signal, tools)
  })
  for (const event of /** @type {const} */ (['runs', 'focus', 'shown'])) listen(event, update, signal)
  signal.addEventListener('abort', () => drawing.abort())
  update()
}

/**
 * The records of a type, and of a tag, that a run has: read at once and again when it wrote more, at most every so often. Calls `draw` with all of
 * them, in order.
 * @template {RunRecord['type']} Type
 * @param {RunSummary} run
 * @param {Type} type
 * @param {string | undefined} tag
 * @param {(records: Extract<RunRecord, { type: Type }>[]) => void} draw
 * @param {AbortSignal} signal
 */
export function followRecords(run, type, tag, draw, signal) {
  let [isReading, isStale] = [false, false]
  const read = async () => {
    if (signal.aborted) return
    if (isReading) {
      isStale = true
      return
    }
    isReading = true
    const found = await source.records(run.id, type, tag).catch(() => null)
    if (signal.aborted) return
    if (found !== null) draw(/** @type {any} */ (found))
    // What was asked for too soon, or not answered, is asked for again.
    setTimeout(() => {
      isReading = false
      if (isStale) read()
      isStale = false
    }, betweenReads)
    isStale ||= found === null
  }
  listen(
    'records',
    ({ run: id, records, more }) => {
      const isWritten = more.includes(type) || records.some((/** @type {RunRecord} */ record) => record.type === type)
      if (id === run.id && isWritten) read()
    },
    signal,
  )
  listen('stale', read, signal)
  read()
}

/**
 * Leafs through records by their place: the newest until another one is chosen.
 * @template {{ step: number, epoch?: number }} Item
 * @param {string} label
 * @param {(item: Item) => void} draw
 */
export function leafing(label, draw) {
  /** @type {Item[]} */
  let items = []
  let isNewest = true
  const place = element('output', {})
  const slider = element('input', { type: 'range', min: 0, max: 0, value: 0, oninput: () => pick() })
  const node = element('label', { class: 'field leaf' }, element('span', {}, label), slider, place)
  const pick = () => {
    isNewest = Number(slider.value) >= items.length - 1
    showItem()
  }
  const showItem = () => {
    const item = items[Number(slider.value)]
    if (item === undefined) return
    place.textContent = placeText(item)
    slider.setAttribute('aria-valuetext', placeText(item))
    draw(item)
  }
  return {
    node,
    /** @param {Item[]} all */
    set(all) {
      items = all
      slider.max = String(Math.max(0, all.length - 1))
      node.hidden = all.length < 2
      if (isNewest) slider.value = slider.max
      showItem()
    },
  }
}

/** @param {{ step: number, epoch?: number }} place */
export const placeText = ({ step, epoch }) =>
  `step ${step}${epoch === undefined ? '' : ` · epoch ${Number(epoch.toFixed(2))}`}`
