// The page: its views, which is open, light or dark, and what the stream brings.
import { openControls } from './controls.js'
import { openCurves } from './curves.js'
import { announce, choice, element, forgetColours, oncePerFrame, replace } from './dom.js'
import { openModel } from './graph.js'
import { openHistograms } from './histograms.js'
import { openMedia } from './media.js'
import { openPredictions } from './predictions.js'
import { openProgram } from './program.js'
import { openRuns } from './runs.js'
import { openSide } from './side.js'
import {
  choose,
  connection,
  forget,
  learn,
  listen,
  nameOf,
  runs,
  setConnection,
  settings,
  source,
  tell,
} from './store.js'
import { openSystem } from './system.js'

/** @type {Readonly<Record<string, { title: string, open: (root: HTMLElement, signal: AbortSignal) => void }>>} */
const views = {
  curves: { title: 'Curves', open: openCurves },
  runs: { title: 'Runs', open: openRuns },
  histograms: { title: 'Histograms', open: openHistograms },
  predictions: { title: 'Predictions', open: openPredictions },
  media: { title: 'Images & text', open: openMedia },
  model: { title: 'Model', open: openModel },
  program: { title: 'Program', open: openProgram },
  system: { title: 'System', open: openSystem },
}

const part = /** @param {string} id */ (id) => /** @type {HTMLElement} */ (document.getElementById(id))

const viewOf = /** @param {string} hash */ (hash) => {
  const name = hash.replace(/^#\/?/, '')
  return Object.hasOwn(views, name) ? name : 'curves'
}

let closing = new AbortController()
let opened = ''

/** @param {boolean} isAsked whether somebody chose it, who then goes on there */
function openView(isAsked) {
  const name = viewOf(location.hash)
  if (name === opened) return
  opened = name
  closing.abort()
  closing = new AbortController()
  const { title, open } = views[name]
  for (const link of part('views').querySelectorAll('a')) {
    if (link.hash === `#/${name}`) link.setAttribute('aria-current', 'page')
    else link.removeAttribute('aria-current')
  }
  document.title = `${title} · Galvani`
  part('title').textContent = title
  const root = element('div', { class: `view view-${name}` })
  replace(part('view'), root)
  open(root, closing.signal)
  if (isAsked) {
    scrollTo({ top: 0 })
    part('content').focus({ preventScroll: true })
  }
}

function showNavigation() {
  const list = Object.entries(views).map(([name, { title }]) =>
    element('li', {}, element('a', { href: `#/${name}` }, title)),
  )
  replace(part('views'), element('ul', {}, list))
}

/** @type {readonly (readonly ['system' | 'light' | 'dark', string])[]} */
const themes = [
  ['system', 'auto'],
  ['light', 'light'],
  ['dark', 'dark'],
]

function showTheme() {
  const changed = () => {
    forgetColours()
    tell('theme')
  }
  const apply = () => {
    if (settings.theme === 'system') delete document.documentElement.dataset.theme
    else document.documentElement.dataset.theme = settings.theme
    changed()
  }
  replace(
    part('theme'),
    choice('Theme', themes, settings.theme, (theme) =>
      choose({ theme: /** @type {'system' | 'light' | 'dark'} */ (theme) }),
    ),
  )
  listen('settings', (changes) => 'theme' in changes && apply())
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', changed)
  apply()
}

const connections = {
  connecting: 'connecting …',
  live: 'live',
  lost: 'connection lost, trying again …',
  exported: 'exported file',
}

function showConnection() {
  const place = part('connection')
  const update = () => {
    place.className = `connection ${connection()}`
    place.textContent = connections[connection()]
  }
  listen('connection', () => {
    update()
    announce(connection() === 'live' ? 'Connected' : connections[connection()])
  })
  update()
}

/** Says when runs begin and end, to those who do not look at them. */
function announceStates() {
  /** @type {Map<string, string>} */
  const known = new Map()
  let isFirst = true
  listen('runs', () => {
    for (const run of runs.values()) {
      const before = known.get(run.id)
      known.set(run.id, run.state)
      if (!isFirst && before !== run.state) announce(`${nameOf(run)}: ${run.state}`)
    }
    isFirst = false
  })
}

const fillRuns = async () => {
  try {
    learn(await source.runs())
  } catch {
    setTimeout(fillRuns, 1000)
  }
}

function watch() {
  source.watch({
    records: ({ run, records, more }, number) => tell('records', { run, records, more, number }),
    runs: learn,
    gone: forget,
    stale: (stale) => {
      if (stale === undefined) fillRuns()
      tell('stale', stale ?? null)
    },
    connection: setConnection,
  })
}

function showCount() {
  const place = part('run-count')
  const update = oncePerFrame(() => {
    place.textContent = runs.size === 1 ? '1 run' : `${runs.size} runs`
  })
  listen('runs', update)
}

/** The list stands open where there is room beside the view. */
function openSideWhereWide() {
  const wide = matchMedia('(min-width: 60rem)')
  const side = /** @type {HTMLDetailsElement} */ (part('side'))
  const apply = () => {
    side.open = wide.matches
  }
  wide.addEventListener('change', apply)
  apply()
}

/** The fragment of an address is the view, so the link moves the keyboard by itself. */
function skipByKeyboard() {
  part('skip').addEventListener('click', (event) => {
    event.preventDefault()
    part('content').focus()
  })
}

skipByKeyboard()
showNavigation()
showTheme()
showConnection()
showCount()
announceStates()
openSideWhereWide()
openSide(part('runs'))
openControls(part('controls'))
watch()
fillRuns().then(() => openView(false))
addEventListener('hashchange', () => openView(true))
