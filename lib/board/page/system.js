// The process that trains: how many cores it keeps busy, its memory, and how long its event loop is held up.
import { element, oncePerFrame, replace } from './dom.js'
import { nothingYet } from './empty.js'
import { bytes, short } from './format.js'
import { ScalarChart } from './scalar-chart.js'
import { listen, runs, shownRuns } from './store.js'

/** @type {readonly { tag: string, title: string, format: (value: number) => string }[]} */
const figures = [
  { tag: 'system/processors', title: 'Processors busy', format: short },
  { tag: 'system/rss', title: 'Resident memory', format: bytes },
  {
    tag: 'system/eventLoopDelay',
    title: 'Delay of the event loop, 99th percentile',
    format: (value) => `${short(value)}\u202fms`,
  },
  { tag: 'system/threads', title: 'Threads', format: short },
]

/**
 * @param {HTMLElement} root
 * @param {AbortSignal} signal
 */
export function openSystem(root, signal) {
  const charts = figures.map(
    ({ tag, title, format }) =>
      new ScalarChart(tag, { title, format, has: ({ has }) => has.includes('system'), smoothing: 0, heading: 'h2' }),
  )
  const grid = element(
    'div',
    { class: 'charts' },
    charts.map(({ node }) => node),
  )
  const update = oncePerFrame(() => {
    if (signal.aborted) return
    const has = shownRuns().some((run) => run.has.includes('system'))
    const wanted = runs.size === 0 ? 'none' : has ? 'charts' : 'empty'
    if (root.dataset.shows !== wanted) {
      root.dataset.shows = wanted
      replace(
        root,
        wanted === 'none'
          ? nothingYet()
          : has
            ? grid
            : element('p', { class: 'empty' }, 'No run that is shown has recorded anything of its process.'),
      )
    }
    for (const chart of charts) chart.update()
  })
  for (const event of /** @type {const} */ (['runs', 'shown', 'stale'])) listen(event, update, signal)
  const recolour = () => {
    for (const chart of charts) chart.recolour()
  }
  listen('theme', recolour, signal)
  signal.addEventListener('abort', () => {
    delete root.dataset.shows
    for (const chart of charts) chart.close()
  })
  update()
}
