// Elements by name, properties and children. Text becomes text nodes and attributes, never markup.

/** @typedef {Node | string | number | null | undefined | false} Child */

/** Of the drawing that the page begins with: a namespace has the form of an address, of which the page holds none. */
const svgNamespace = () => /** @type {Element} */ (document.querySelector('svg')).namespaceURI

/**
 * An element. Properties that begin with `on` are listeners, `style` is a record of declarations (set one by one, as the policy allows no style
 * attributes), `class`, `aria-…` and the rest are attributes; those that are null, undefined or false are left out.
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Record<string, any>} [properties]
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function element(name, properties = {}, ...children) {
  const made = document.createElement(name)
  fill(made, properties, children)
  return made
}

/**
 * The same of SVG.
 * @template {keyof SVGElementTagNameMap} Name
 * @param {Name} name
 * @param {Record<string, any>} [properties]
 * @param {...(Child | Child[])} children
 * @returns {SVGElementTagNameMap[Name]}
 */
export function drawing(name, properties = {}, ...children) {
  const made = /** @type {SVGElementTagNameMap[Name]} */ (document.createElementNS(svgNamespace(), name))
  fill(made, properties, children)
  return made
}

/**
 * @param {HTMLElement | SVGElement} made
 * @param {Record<string, any>} properties
 * @param {(Child | Child[])[]} children
 */
function fill(made, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue
    if (name.startsWith('on')) made.addEventListener(name.slice(2), value)
    else if (name === 'style')
      for (const [key, text] of Object.entries(value)) made.style.setProperty(key, String(text))
    else made.setAttribute(name, value === true ? '' : String(value))
  }
  append(made, children)
}

/**
 * @param {Element} parent
 * @param {(Child | Child[])[]} children
 */
function append(parent, children) {
  for (const child of children.flat())
    if (child !== null && child !== undefined && child !== false)
      parent.append(typeof child === 'number' ? String(child) : child)
}

/**
 * Puts children in the place of those there are.
 * @param {Element} parent
 * @param {...(Child | Child[])} children
 */
export function replace(parent, ...children) {
  parent.replaceChildren()
  append(parent, children)
}

let made = 0

/** An id that no other element has. */
export const newId = () => `e${++made}`

/**
 * Says something to those who listen to the page.
 * @param {string} text
 */
export function announce(text) {
  const region = document.getElementById('announcements')
  if (region !== null) region.textContent = text
}

/**
 * What a function asks for many times before the next frame is done once in it.
 * @param {() => void} draw
 */
export function oncePerFrame(draw) {
  let asked = false
  return () => {
    if (asked) return
    asked = true
    requestAnimationFrame(() => {
      asked = false
      draw()
    })
  }
}

/** What is to be drawn, in the order in which it was asked for. @type {Set<() => void>} */
const turns = new Set()

/** Milliseconds of drawing in one frame, unless one thing takes longer. */
const drawingPerFrame = 10

const takeTurns = oncePerFrame(() => {
  const end = performance.now() + drawingPerFrame
  for (const draw of turns) {
    turns.delete(draw)
    draw()
    if (performance.now() > end) break
  }
  if (turns.size > 0) takeTurns()
})

/**
 * The same as `oncePerFrame`, but not all in one frame where that would take long: a click is answered before everything is drawn.
 * @param {() => void} draw
 */
export const inTurn = (draw) => () => {
  turns.add(draw)
  takeTurns()
}

/** By the names of custom properties. @type {Map<string, string>} */
const knownColours = new Map()

/** When the theme changes. */
export const forgetColours = () => knownColours.clear()

/**
 * A colour of the theme as a canvas takes it.
 * @param {string} name of a custom property
 */
export function colourOf(name) {
  const known = knownColours.get(name)
  if (known !== undefined) return known
  const probe = element('span', { style: { color: `var(${name})` }, hidden: true })
  document.body.append(probe)
  const { color } = getComputedStyle(probe)
  probe.remove()
  knownColours.set(name, color)
  return color
}

/**
 * A list to choose one of.
 * @param {string} label
 * @param {readonly (readonly [value: string, text: string])[]} choices
 * @param {string} chosen
 * @param {(value: string) => void} choose
 */
export function choice(label, choices, chosen, choose) {
  const list = element('select', { onchange: () => choose(list.value) })
  for (const [value, text] of choices) list.append(element('option', { value, selected: value === chosen }, text))
  return element('label', { class: 'field' }, element('span', {}, label), list)
}

/**
 * @param {string} label
 * @param {boolean} checked
 * @param {(checked: boolean) => void} change
 */
export function tick(label, checked, change) {
  const box = element('input', { type: 'checkbox', checked, onchange: () => change(box.checked) })
  return element('label', { class: 'tick' }, box, label)
}

/**
 * A table under its headings.
 * @param {readonly string[]} heads @param {HTMLElement[]} rows @param {Parameters<typeof element>[1]} [attributes]
 */
export const tableUnder = (heads, rows, attributes = {}) =>
  element(
    'table',
    attributes,
    element(
      'thead',
      {},
      element(
        'tr',
        {},
        heads.map((text) => element('th', { scope: 'col' }, text)),
      ),
    ),
    element('tbody', {}, rows),
  )
