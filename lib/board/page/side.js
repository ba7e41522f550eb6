// The list of runs beside every view: which are shown, in which colour, and how they are.

import { swatch } from './chart.js'
import { element, oncePerFrame, replace } from './dom.js'
import { colourNumber, dashNumber, isShown, listen, nameOf, runs, show } from './store.js'

/** Longer lists are cut: whoever has more looks for one by its name. */
const longest = 300

/** @param {HTMLElement} root */
export function openSide(root) {
  const list = element('ul', { class: 'run-list' })
  const count = element('p', { class: 'quiet', role: 'status' })
  const filter = element('input', {
    type: 'search',
    placeholder: 'Filter by name',
    'aria-label': 'Filter runs',
    oninput: () => update(),
  })
  const matching = () =>
    [...runs.values()].reverse().filter((run) => nameOf(run).toLowerCase().includes(filter.value.trim().toLowerCase()))
  const every = /** @param {boolean} isShown */ (isShown) => () =>
    show(
      matching().map(({ id }) => id),
      isShown,
    )
  replace(
    root,
    element(
      'div',
      { class: 'side-tools' },
      filter,
      element('button', { type: 'button', class: 'small', onclick: every(true) }, 'All'),
      element('button', { type: 'button', class: 'small', onclick: every(false) }, 'None'),
    ),
    count,
    list,
  )
  /** @type {Map<string, { node: HTMLElement, update(): void }>} */
  const items = new Map()

  const update = oncePerFrame(() => {
    const found = matching()
    const some = found.slice(0, longest)
    const shown = [...runs.values()].filter(({ id }) => isShown(id)).length
    count.textContent = `${shown} of ${runs.size} shown${found.length > longest ? `, the newest ${longest} listed` : ''}`
    for (const { id } of some) if (!items.has(id)) items.set(id, item(id))
    for (const { id } of some) items.get(id)?.update()
    const nodes = some.map(({ id }) => /** @type {{ node: HTMLElement }} */ (items.get(id)).node)
    if (nodes.length !== list.children.length || nodes.some((node, i) => node !== list.children[i]))
      list.replaceChildren(...nodes)
  })
  listen('runs', update)
  listen('shown', update)
  update()
}

/** @param {string} id */
function item(id) {
  const box = element('input', { type: 'checkbox', onchange: () => show([id], box.checked) })
  const name = element('span', { class: 'name' })
  const state = element('span', { class: 'state' })
  const node = element(
    'li',
    {},
    element('label', {}, box, swatch({ colour: colourNumber(id), dash: dashNumber(id) }), name, state),
  )
  return {
    node,
    update() {
      const run = runs.get(id)
      if (run === undefined) return
      box.checked = isShown(id)
      if (name.textContent !== nameOf(run)) name.textContent = node.title = nameOf(run)
      if (state.textContent !== (run.state === 'ended' ? '' : run.state)) {
        state.textContent = run.state === 'ended' ? '' : run.state
        state.className = `state ${stateClass(run.state)}`
      }
    },
  }
}

/** One of the names that the style knows. @param {string} state */
export const stateClass = (state) => (['running', 'ended', 'stopped', 'failed'].includes(state) ? state : 'unknown')
