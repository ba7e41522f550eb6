// The table of runs: what each was given and what it came to, in any order; and two of them side by side.

import { swatch } from './chart.js'
import { element, newId, oncePerFrame, replace } from './dom.js'
import { nothingYet } from './empty.js'
import { duration, moment, short, shown } from './format.js'
import { groupedBy } from './lists.js'
import { stateClass } from './side.js'
import { byName, colourNumber, dashNumber, isShown, listen, nameOf, runs, show, shownRuns, source } from './store.js'

/**
 * @typedef {import('./source.js').RunSummary} RunSummary
 * @typedef {{ id: string, text: string, group: string, value: (run: RunSummary) => unknown, cell?: (run: RunSummary) => Node | string }} Column
 */

/** @param {RunSummary} run */
const lasted = ({ started, updated }) =>
  started === undefined || updated === undefined ? undefined : updated - started

/** @type {readonly Column[]} */
const fixed = [
  { id: 'state', text: 'state', group: 'run', value: ({ state }) => state, cell: stateCell },
  {
    id: 'started',
    text: 'started',
    group: 'run',
    value: ({ started }) => started,
    cell: ({ started }) => moment(started),
  },
  { id: 'lasted', text: 'time', group: 'run', value: lasted, cell: (run) => duration(lasted(run) ?? NaN) },
  { id: 'step', text: 'steps', group: 'run', value: ({ step }) => step },
  { id: 'epoch', text: 'epochs', group: 'run', value: ({ epoch }) => epoch },
]

/** @param {RunSummary} run */
function stateCell({ state, message, read }) {
  const text = read < 1 ? `${state}, reading` : state
  return element(
    'span',
    { class: `state ${stateClass(state)}`, title: message },
    text,
    message !== undefined && element('span', { class: 'message' }, message),
  )
}

/** All columns that these runs have. @param {readonly RunSummary[]} some @returns {Column[]} */
function columnsOf(some) {
  const names = /** @param {(run: RunSummary) => object | undefined} of */ (of) =>
    [...new Set(some.flatMap((run) => Object.keys(of(run) ?? {})))].sort(byName)
  return [
    ...fixed,
    ...names(({ hyperparameters }) => hyperparameters).map((name) => ({
      ...{ id: `hyperparameter ${name}`, text: name, group: 'hyper-parameters' },
      value: /** @param {RunSummary} run */ ({ hyperparameters }) => hyperparameters?.[name],
    })),
    ...names(({ last }) => last)
      .filter((name) => !name.startsWith('system/'))
      .map((name) => ({
        ...{ id: `last ${name}`, text: name, group: 'last values' },
        value: /** @param {RunSummary} run */ ({ last }) => last[name],
      })),
  ]
}

/** Numbers before texts, and what is missing last, whichever way. @param {unknown} a @param {unknown} b @param {number} direction */
function compareValues(a, b, direction) {
  const isMissing = /** @param {unknown} value */ (value) => value === undefined || value === null
  if (isMissing(a) || isMissing(b)) return Number(isMissing(a)) - Number(isMissing(b))
  if (typeof a === 'number' && typeof b === 'number') return direction * (a - b)
  if (typeof a !== typeof b) return typeof a === 'number' ? -1 : 1
  return direction * byName(String(a), String(b))
}

/**
 * @param {HTMLElement} root
 * @param {AbortSignal} signal
 */
export function openRuns(root, signal) {
  const table = element('div', {})
  const comparison = element('section', { class: 'card' })
  replace(root, table, comparison)
  let sort = { id: 'started', direction: -1 }
  /** @type {[string | undefined, string | undefined]} */
  let compared = [undefined, undefined]
  let onlyDifferences = false
  /** The rows as they stand, by what they were made of: another order makes no row anew. @type {Map<string, { of: readonly unknown[], row: HTMLElement }>} */
  let made = new Map()

  const sortTable = oncePerFrame(() => {
    if (!signal.aborted) keepingFocus(root, () => replace(table, tableOf([...runs.values()])))
  })

  const update = oncePerFrame(() => {
    if (signal.aborted) return
    const all = [...runs.values()]
    if (all.length === 0) return replace(root, nothingYet())
    if (!table.isConnected) replace(root, table, comparison)
    keepingFocus(root, () => {
      replace(table, tableOf(all))
      replace(comparison, comparisonOf(all))
    })
  })

  /** @param {readonly RunSummary[]} all */
  function tableOf(all) {
    const columns = columnsOf(all)
    const by = columns.find(({ id }) => id === sort.id) ?? fixed[1]
    const value = sort.id === 'name' ? nameOf : by.value
    const rows = [...all].sort((a, b) => compareValues(value(a), value(b), sort.direction) || byName(a.id, b.id))
    const groups = [...groupedBy(columns, ({ group }) => group)]
    return element(
      'div',
      { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Runs', id: 'runs-region' },
      element(
        'table',
        { class: 'sortable' },
        element('caption', { class: 'visually-hidden' }, 'All runs. The headings sort.'),
        element(
          'thead',
          {},
          element(
            'tr',
            { class: 'over' },
            element('td', {}),
            groups.map(([group, of]) => element('th', { scope: 'colgroup', colspan: of.length }, group)),
          ),
          element(
            'tr',
            {},
            heading({ id: 'name', text: 'run' }, false),
            columns.map((column) =>
              heading(
                column,
                all.some((run) => typeof column.value(run) === 'number'),
              ),
            ),
          ),
        ),
        element('tbody', {}, keptRows(rows, columns)),
      ),
    )
  }

  /** @param {{ id: string, text: string }} column @param {boolean} isNumber */
  function heading({ id, text }, isNumber) {
    const isSorted = sort.id === id
    const choose = () => {
      sort = { id, direction: isSorted ? -sort.direction : 1 }
      sortTable()
    }
    return element(
      'th',
      {
        scope: 'col',
        class: isNumber ? 'number' : null,
        'aria-sort': isSorted ? (sort.direction > 0 ? 'ascending' : 'descending') : false,
      },
      element(
        'button',
        { type: 'button', 'data-key': `sort ${id}`, onclick: choose },
        text,
        isSorted && element('span', { 'aria-hidden': 'true' }, sort.direction > 0 ? ' ↑' : ' ↓'),
      ),
    )
  }

  /** @param {readonly RunSummary[]} all @param {readonly Column[]} columns */
  function keptRows(all, columns) {
    const names = columns.map(({ id }) => id).join('\0')
    const before = made
    made = new Map(
      all.map((run) => {
        const of = [run, names, isShown(run.id), colourNumber(run.id), dashNumber(run.id)]
        const known = before.get(run.id)
        const isSame = known !== undefined && of.every((x, i) => x === known.of[i])
        return [run.id, isSame ? known : { of, row: rowOf(run, columns) }]
      }),
    )
    return [...made.values()].map(({ row }) => row)
  }

  /** @param {RunSummary} run @param {readonly Column[]} columns */
  function rowOf(run, columns) {
    const box = element('input', {
      type: 'checkbox',
      checked: isShown(run.id),
      'data-key': `show ${run.id}`,
      onchange: () => show([run.id], box.checked),
    })
    const line = { colour: colourNumber(run.id), dash: dashNumber(run.id) }
    return element(
      'tr',
      {},
      element('th', { scope: 'row' }, element('label', {}, box, swatch(line), nameOf(run))),
      columns.map(({ value, cell }) => {
        const raw = value(run)
        return element(
          'td',
          { class: typeof raw === 'number' ? 'number' : null },
          cell?.(run) ?? shown(raw ?? undefined),
        )
      }),
    )
  }

  /** @param {readonly RunSummary[]} all */
  function comparisonOf(all) {
    const known = /** @param {string | undefined} id */ (id) => runs.get(id ?? '')
    const visible = shownRuns()
    const b = known(compared[1]) ?? visible.at(-1) ?? all.at(-1)
    const isOther = /** @param {RunSummary} run */ (run) => run.id !== b?.id
    const a = known(compared[0]) ?? visible.findLast(isOther) ?? all.findLast(isOther)
    const id = newId()
    comparison.setAttribute('aria-labelledby', id)
    const pick = /** @param {0 | 1} which @param {RunSummary | undefined} run */ (which, run) => {
      const list = element('select', {
        'data-key': `compare ${which}`,
        'aria-label': which === 0 ? 'First run' : 'Second run',
        onchange: () => {
          compared = which === 0 ? [list.value, b?.id] : [a?.id, list.value]
          update()
        },
      })
      for (const one of [...all].reverse())
        list.append(element('option', { value: one.id, selected: one.id === run?.id }, nameOf(one)))
      return list
    }
    const box = element('input', {
      type: 'checkbox',
      checked: onlyDifferences,
      'data-key': 'only differences',
      onchange: () => {
        onlyDifferences = box.checked
        update()
      },
    })
    const head = element(
      'header',
      {},
      element('h2', { id }, 'Compare'),
      pick(0, a),
      pick(1, b),
      element('label', { class: 'tick' }, box, 'only differences'),
    )
    if (all.length < 2 || a === undefined || b === undefined)
      return [
        element('h2', { id }, 'Compare'),
        element('p', { class: 'quiet' }, 'There is one run so far; with a second one both stand here side by side.'),
      ]
    const rows = columnsOf([a, b]).flatMap(({ text, group, value, cell }) =>
      differing(a, b, `${group === 'run' ? '' : `${group}: `}${text}`, value, cell),
    )
    const links = [a, b].map((run) =>
      element(
        'th',
        { scope: 'col' },
        swatch({ colour: colourNumber(run.id), dash: dashNumber(run.id) }),
        nameOf(run),
        exportLink(run),
      ),
    )
    return [
      head,
      element(
        'div',
        { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Comparison' },
        element(
          'table',
          {},
          element(
            'thead',
            {},
            element('tr', {}, element('td', {}), links, element('th', { scope: 'col' }, 'difference')),
          ),
          element('tbody', {}, rows),
        ),
      ),
    ]
  }

  /** @param {RunSummary} a @param {RunSummary} b @param {string} text @param {Column['value']} value @param {Column['cell']} cell */
  function differing(a, b, text, value, cell) {
    const [x, y] = [value(a), value(b)]
    const isSame = x === y
    if (isSame && onlyDifferences) return []
    const difference = isSame
      ? ''
      : typeof x === 'number' && typeof y === 'number' && cell === undefined
        ? `${y > x ? '+' : ''}${short(y - x)}`
        : 'differs'
    const of = /** @param {RunSummary} run @param {unknown} raw */ (run, raw) =>
      element('td', { class: typeof raw === 'number' ? 'number' : null }, cell?.(run) ?? shown(raw ?? undefined))
    return [
      element(
        'tr',
        { class: isSame ? null : 'differs' },
        element('th', { scope: 'row' }, text),
        of(a, x),
        of(b, y),
        element('td', { class: 'number' }, difference),
      ),
    ]
  }

  for (const event of /** @type {const} */ (['runs', 'shown'])) listen(event, update, signal)
  update()
}

/** A file of the run to keep or send. @param {RunSummary} run */
export function exportLink(run) {
  const address = source.exportAddress(run.id)
  return (
    address !== null &&
    element(
      'a',
      { class: 'export', href: address, download: 'run.html', 'aria-label': `Export ${nameOf(run)}` },
      'Export',
    )
  )
}

/**
 * Makes contents anew without taking the keyboard's place, or that of the scrollbars, away.
 * @param {HTMLElement} root
 * @param {() => void} make
 */
function keepingFocus(root, make) {
  const key =
    document.activeElement instanceof HTMLElement && root.contains(document.activeElement)
      ? document.activeElement.dataset.key
      : undefined
  const places = [...root.querySelectorAll('.scroll')].map(({ scrollLeft, scrollTop }) => ({ scrollLeft, scrollTop }))
  make()
  const areas = root.querySelectorAll('.scroll')
  for (const [i, place] of places.entries()) Object.assign(areas[i] ?? {}, place)
  if (key === undefined) return
  const found = [...root.querySelectorAll('[data-key]')].find(
    (node) => /** @type {HTMLElement} */ (node).dataset.key === key,
  )
  if (found instanceof HTMLElement) found.focus({ preventScroll: true })
}
