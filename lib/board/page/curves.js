// Curves of all numbers that runs report, several runs over one another, in groups by what stands before the first slash of a tag.
import { choice, element, oncePerFrame, replace, tick } from './dom.js'
import { nothingYet } from './empty.js'
import { groupedBy } from './lists.js'
import { ScalarChart } from './scalar-chart.js'
import { choose, listen, runs, settings, shownRuns, tagsOf } from './store.js'

/** @type {readonly (readonly [import('./series.js').XAxis, string])[]} */
const axes = [
  ['step', 'step'],
  ['epoch', 'epoch'],
  ['relative', 'time since start'],
  ['wall', 'time of day'],
]

/** @param {string} tag */
const groupOf = (tag) => (tag.includes('/') ? tag.slice(0, tag.indexOf('/')) : 'other')

/**
 * @param {HTMLElement} root
 * @param {AbortSignal} signal
 */
export function openCurves(root, signal) {
  const groups = element('div', { class: 'groups' })
  const count = element('p', { class: 'quiet', role: 'status' })
  replace(root, toolbar(count), groups)
  /** @type {Map<string, ScalarChart>} */
  const charts = new Map()
  let listed = ''
  const each = /** @param {(chart: ScalarChart) => void} act */ (act) => {
    for (const chart of charts.values()) act(chart)
  }

  const update = () => {
    const pattern = settings.tagFilter.trim().toLowerCase()
    const all = tagsOf('scalars').filter((tag) => !tag.startsWith('system/'))
    const tags = all.filter((tag) => tag.toLowerCase().includes(pattern))
    count.textContent = tags.length === all.length ? `${all.length} charts` : `${tags.length} of ${all.length} charts`
    if (JSON.stringify(tags) !== listed || tags.length === 0) {
      listed = JSON.stringify(tags)
      for (const [tag, chart] of charts)
        if (!tags.includes(tag)) {
          chart.close()
          charts.delete(tag)
        }
      for (const tag of tags) if (!charts.has(tag)) charts.set(tag, new ScalarChart(tag))
      replace(groups, tags.length === 0 ? whyNone(all.length) : groupsOf(charts))
    }
    for (const chart of charts.values()) chart.update()
  }
  const perFrame = oncePerFrame(update)
  listen('runs', perFrame, signal)
  listen('shown', perFrame, signal)
  listen('stale', perFrame, signal)
  listen('theme', () => each((chart) => chart.recolour()), signal)
  listen(
    'settings',
    (/** @type {object} */ changes) => {
      if ('tagFilter' in changes) perFrame()
      else if (['x', 'logX', 'logY', 'smoothing'].some((name) => name in changes))
        each((chart) => chart.setAxes(changes))
    },
    signal,
  )
  signal.addEventListener('abort', () => each((chart) => chart.close()))
  update()
}

/** @param {number} all */
function whyNone(all) {
  if (runs.size === 0) return nothingYet()
  if (all > 0) return element('p', { class: 'empty' }, 'No tag matches the filter.')
  if (shownRuns().length === 0)
    return element('p', { class: 'empty' }, 'No run is shown: tick one in the list of runs.')
  return element('p', { class: 'empty' }, 'The runs that are shown have reported no numbers yet.')
}

/** @param {Map<string, ScalarChart>} charts */
function groupsOf(charts) {
  const byGroup = groupedBy(
    [...charts.values()].sort((a, b) => order(a.tag) - order(b.tag)),
    ({ tag }) => groupOf(tag),
  )
  return [...byGroup].map(([group, ofGroup]) => {
    const details = element(
      'details',
      { class: 'group', open: !settings.closedGroups.includes(group), ontoggle: () => keepOpen(group, details.open) },
      element('summary', {}, element('h2', {}, group), element('span', { class: 'quiet' }, ofGroup.length)),
      element(
        'div',
        { class: 'charts' },
        ofGroup.map(({ node }) => node),
      ),
    )
    return details
  })
}

/** Losses first, then what else is learnt, then the machine. @param {string} tag */
function order(tag) {
  const place = ['loss', 'accuracy'].indexOf(groupOf(tag))
  return place < 0 ? 2 : place
}

/** @param {string} group @param {boolean} isOpen */
function keepOpen(group, isOpen) {
  const others = settings.closedGroups.filter((name) => name !== group)
  choose({ closedGroups: isOpen ? others : [...others, group] })
}

/** @param {HTMLElement} count */
function toolbar(count) {
  const shownWeight = element('output', {}, settings.smoothing.toFixed(2))
  const slider = element('input', {
    type: 'range',
    min: 0,
    max: 0.99,
    step: 0.01,
    value: settings.smoothing,
    oninput: () => {
      shownWeight.textContent = Number(slider.value).toFixed(2)
      choose({ smoothing: Number(slider.value) })
    },
  })
  const filter = element('input', {
    type: 'search',
    placeholder: 'loss, accuracy …',
    value: settings.tagFilter,
    oninput: () => choose({ tagFilter: filter.value }),
  })
  return element(
    'div',
    { class: 'toolbar', role: 'group', 'aria-label': 'Charts' },
    element('label', { class: 'field' }, element('span', {}, 'Tags'), filter),
    element('label', { class: 'field' }, element('span', {}, 'Smoothing'), slider, shownWeight),
    choice('X axis', axes, settings.x, (x) => choose({ x: /** @type {import('./series.js').XAxis} */ (x) })),
    tick('log x', settings.logX, (logX) => choose({ logX })),
    tick('log y', settings.logY, (logY) => choose({ logY })),
    count,
  )
}
