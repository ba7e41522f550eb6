// The model's graph: layers as boxes that open, operations in them, and lines with shapes. Arrow keys go along the lines.
import { announce, drawing, element, newId, replace, tableUnder, tick } from './dom.js'
import { noSuch } from './empty.js'
import { shapeText, short } from './format.js'
import { layered } from './layout.js'
import { groupedBy } from './lists.js'
import { followRecords, viewOfRun } from './pick.js'
import { boxesOf, edgesOf, itemsOf, modelGraph, openAtFirst, whole } from './scopes.js'

/**
 * @typedef {import('./scopes.js').Item} Item
 * @typedef {import('./scopes.js').ModelGraph} ModelGraph
 * @typedef {{ item: Item, x: number, y: number, width: number, height: number, isOpen: boolean, depth: number }} Box
 */

/** How many boxes are open at first, and up to how many lines bear their shapes. */
const [openedAtFirst, labelled] = [36, 160]

const [headHeight, inset, nodeHeight, letter] = [26, 14, 38, 6.9]

/**
 * @param {HTMLElement} root
 * @param {AbortSignal} signal
 */
export function openModel(root, signal) {
  viewOfRun(
    root,
    signal,
    (content, run, signal) => {
      if (!run.has.includes('graph'))
        return replace(content, noSuch('graph of its model', 'It is recorded with `graph: true`.'))
      let isDrawn = false
      followRecords(
        run,
        'graph',
        undefined,
        (graphs) => {
          const last = graphs.at(-1)
          if (last === undefined || isDrawn) return
          isDrawn = true
          replace(content, new GraphView(modelGraph(last.nodes), last.nodes).node)
        },
        signal,
      )
    },
    ({ has }) => String(has.includes('graph')),
  )
}

class GraphView {
  #area = element('div', { class: 'scroll graph', role: 'region', 'aria-label': 'Graph of the model' })
  #details = element('div', { class: 'graph-details', role: 'status' })
  #withParameters = false
  /** The box that has the keyboard, or had it. */
  #current = ''
  /** @type {Map<string, SVGElement>} */
  #buttons = new Map()
  /** @type {Map<string, Box>} */
  #boxes = new Map()
  /** @type {import('./scopes.js').Edge[]} */
  #edges = []

  /** @param {ModelGraph} graph @param {readonly import('./scopes.js').GraphNode[]} nodes */
  constructor(graph, nodes) {
    this.#graph = graph
    this.#open = openAtFirst(graph, openedAtFirst)
    const id = newId()
    const total = graph.scopes.get(whole)?.parameters ?? 0
    const operations = nodes.filter(({ op }) => !['parameter', 'input', 'output'].includes(op)).length
    const button = /** @param {string} text @param {() => void} act */ (text, act) =>
      element('button', { type: 'button', class: 'small', onclick: act }, text)
    this.node = element(
      'section',
      { class: 'card', 'aria-labelledby': id },
      element(
        'header',
        {},
        element('h2', { id }, 'Model'),
        element('p', { class: 'quiet' }, `${operations} operations · ${short(total)} parameters`),
        button('Open all', () => this.#openAll(true)),
        button('Close all', () => this.#openAll(false)),
        tick('parameters', false, (isOn) => {
          this.#withParameters = isOn
          this.#draw()
        }),
      ),
      this.#area,
      this.#details,
      element(
        'details',
        {
          class: 'as-table',
          ontoggle: (/** @type {Event} */ event) => fillTable(/** @type {HTMLDetailsElement} */ (event.target), nodes),
        },
        element('summary', {}, 'Operations as a table'),
      ),
    )
    this.#draw()
  }

  #graph
  #open

  /** @param {boolean} isOpen */
  #openAll(isOpen) {
    this.#open = new Set(isOpen ? this.#graph.scopes.keys() : [whole])
    this.#draw()
  }

  #draw() {
    this.#edges = edgesOf(this.#graph, this.#open, this.#withParameters)
    /** @type {Map<string, import('./layout.js').Place[]>} */
    const bends = new Map()
    this.#boxes = new Map()
    const { width, height } = this.#place(whole, 0, bends)
    const margin = 12
    this.#buttons = new Map()
    const boxes = [...this.#boxes.values()].sort((a, b) => a.depth - b.depth)
    const open = boxes.filter(({ isOpen }) => isOpen).map((box) => this.#boxNode(box))
    const closed = boxes.filter(({ isOpen }) => !isOpen).map((box) => this.#boxNode(box))
    const lines = this.#edges.map((edge) => this.#line(edge, bends.get(JSON.stringify([edge.from, edge.to])) ?? []))
    const svg = drawing(
      'svg',
      {
        viewBox: `${-margin} ${-margin} ${width + 2 * margin} ${height + 2 * margin}`,
        width: width + 2 * margin,
        height: height + 2 * margin,
        role: 'group',
        'aria-label': 'Layers and operations. Arrow keys go along the lines, Enter opens and closes.',
        onkeydown: this.#key,
      },
      open,
      lines,
      closed,
    )
    replace(this.#area, svg)
    this.#focusable(this.#buttons.has(this.#current) ? this.#current : ([...this.#buttons.keys()][0] ?? ''))
  }

  /**
   * Places what stands in a group, and in groups that are open within it; gives how much room it takes.
   * @param {string} scope
   * @param {number} depth
   * @param {Map<string, import('./layout.js').Place[]>} bends
   */
  #place(scope, depth, bends) {
    const items = itemsOf(this.#graph, scope, this.#withParameters)
    /** @type {Map<string, Box[]>} what was placed within, relative to it */
    const within = new Map()
    /** @type {Map<string, Map<string, import('./layout.js').Place[]>>} */
    const bendsWithin = new Map()
    const sizes = items.map((item) => {
      if (item.scope === null || !this.#open.has(item.scope.id)) return { id: item.id, ...closedSize(item) }
      const outer = this.#boxes
      this.#boxes = new Map()
      const bent = new Map()
      const inner = this.#place(item.scope.id, depth + 1, bent)
      within.set(item.id, [...this.#boxes.values()])
      bendsWithin.set(item.id, bent)
      this.#boxes = outer
      return {
        id: item.id,
        width: Math.max(inner.width, closedSize(item).width - 2 * inset) + 2 * inset,
        height: inner.height + headHeight + 2 * inset,
      }
    })
    const { arrows, edges } = this.#arrowsIn(depth, new Set(items.map(({ id }) => id)))
    arrows.push(...around(this.#edges, (id) => this.#outer(id, depth), new Set(items.map(({ id }) => id))))
    const layout = layered(sizes, arrows)
    items.forEach((item, i) => {
      const at = /** @type {import('./layout.js').Place} */ (layout.places.get(item.id))
      const isOpen = within.has(item.id)
      this.#boxes.set(item.id, { item, ...at, width: sizes[i].width, height: sizes[i].height, isOpen, depth })
      const [dx, dy] = [at.x + inset, at.y + headHeight + inset]
      for (const box of within.get(item.id) ?? [])
        this.#boxes.set(box.item.id, { ...box, x: box.x + dx, y: box.y + dy })
      for (const [key, points] of bendsWithin.get(item.id) ?? [])
        bends.set(
          key,
          points.map(({ x, y }) => ({ x: x + dx, y: y + dy })),
        )
    })
    for (const [arrow, points] of layout.bends)
      for (const edge of edges.get(arrow) ?? []) bends.set(JSON.stringify([edge.from, edge.to]), points)
    return layout
  }

  /**
   * The lines between boxes of one group, each of which may stand for several between what is within them.
   * @param {number} depth
   * @param {ReadonlySet<string>} ids
   */
  #arrowsIn(depth, ids) {
    /** @type {Map<string, import('./layout.js').Arrow>} */
    const arrows = new Map()
    /** @type {Map<import('./layout.js').Arrow, import('./scopes.js').Edge[]>} */
    const edges = new Map()
    for (const edge of this.#edges) {
      const [from, to] = [this.#outer(edge.from, depth), this.#outer(edge.to, depth)]
      if (from === to || !ids.has(from) || !ids.has(to)) continue
      const key = JSON.stringify([from, to])
      const arrow = arrows.get(key) ?? { from, to }
      arrows.set(key, arrow)
      edges.set(arrow, [...(edges.get(arrow) ?? []), edge])
    }
    return { arrows: [...arrows.values()], edges }
  }

  /** The box at a depth that a box is or is within. @param {string} id @param {number} depth */
  #outer(id, depth) {
    const [kind, name] = [id.slice(0, id.indexOf(' ')), id.slice(id.indexOf(' ') + 1)]
    if (kind === 'node') return boxesOf(this.#graph, this.#open, name)[depth] ?? ''
    const parts = name.split('.')
    return depth < parts.length ? `scope ${parts.slice(0, depth + 1).join('.')}` : ''
  }

  /** @param {Box} box */
  #boxNode({ item, x, y, width, height, isOpen }) {
    const { scope, node } = item
    const button = drawing(
      'g',
      {
        class: `box ${scope !== null ? (isOpen ? 'open' : 'closed') : `op ${opClass(node?.op ?? '')}`}`,
        transform: `translate(${x} ${y})`,
        role: 'button',
        tabindex: -1,
        'aria-expanded': scope === null ? null : String(isOpen),
        'aria-label': describe(item, isOpen),
        onclick: () => this.#act(item),
        onfocus: () => this.#focusable(item.id),
      },
      drawing('rect', { width, height, rx: scope !== null ? 8 : 4 }),
      drawing(
        'text',
        { class: 'label', x: isOpen ? 12 : width / 2, y: isOpen ? 18 : 16, 'text-anchor': isOpen ? 'start' : 'middle' },
        scope !== null ? `${isOpen ? '▾' : '▸'} ${scope.label}` : (node?.op ?? ''),
        ' ',
      ),
      !isOpen && drawing('text', { class: 'sub', x: width / 2, y: 30, 'text-anchor': 'middle' }, subText(item)),
    )
    this.#buttons.set(item.id, button)
    return button
  }

  /** From the lower edge of a box to the upper one of another. @param {import('./scopes.js').Edge} edge @param {readonly import('./layout.js').Place[]} bends */
  #line({ from, to, shapes }, bends) {
    const [a, b] = [this.#boxes.get(from), this.#boxes.get(to)]
    if (a === undefined || b === undefined) return null
    if (b.y < a.y + a.height && bends.length === 0) return upward(a, b)
    const points = [{ x: a.x + a.width / 2, y: a.y + a.height }, ...bends, { x: b.x + b.width / 2, y: b.y }]
    let path = `M${points[0].x} ${points[0].y}`
    for (let i = 1; i < points.length; i++) {
      const [p, q] = [points[i - 1], points[i]]
      const middle = (p.y + q.y) / 2
      path += `C${p.x} ${middle} ${q.x} ${middle} ${q.x} ${q.y}`
    }
    const [start, next, q] = [points[0], points[1], points[points.length - 1]]
    const text = shapes.length > 1 ? `${shapes[0]} +${shapes.length - 1}` : shapes[0]
    return drawing(
      'g',
      { class: 'edge', 'aria-hidden': 'true' },
      drawing('path', { d: path }),
      drawing('path', { class: 'head', d: `M${q.x - 3.5} ${q.y - 6}L${q.x} ${q.y}L${q.x + 3.5} ${q.y - 6}` }),
      this.#edges.length <= labelled &&
        drawing('text', { x: 0.8 * start.x + 0.2 * next.x + 5, y: 0.64 * start.y + 0.36 * next.y + 4 }, text),
    )
  }

  /** @param {Item} item */
  #act(item) {
    this.#current = item.id
    if (item.scope === null) return this.#describe(item)
    const { id } = item.scope
    const isOpen = this.#open.has(id)
    if (isOpen) this.#open.delete(id)
    else this.#open.add(id)
    this.#draw()
    this.#buttons.get(item.id)?.focus()
    announce(`${item.label} ${isOpen ? 'closed' : 'open'}`)
  }

  /** @param {Item} item */
  #describe({ node }) {
    if (node === null) return
    const facts = [
      ['operation', node.op],
      ['gives', `${node.dtype} ${shapeText(node.shape)}`],
      [
        'reads',
        node.inputs.map((name) => `${name} ${shapeText(this.#graph.nodes.get(name)?.shape ?? [])}`).join(', ') ||
          'nothing',
      ],
      [
        'read by',
        [...this.#graph.nodes.values()]
          .filter(({ inputs }) => inputs.includes(node.name))
          .map(({ name }) => name)
          .join(', ') || 'nothing',
      ],
    ]
    replace(
      this.#details,
      element('h3', {}, node.name),
      element(
        'dl',
        {},
        facts.flatMap(([name, text]) => [element('dt', {}, name), element('dd', {}, text)]),
      ),
    )
  }

  /** One box is reached by Tab, the others from it. @param {string} id */
  #focusable(id) {
    this.#buttons.get(this.#current)?.setAttribute('tabindex', '-1')
    this.#current = id
    this.#buttons.get(id)?.setAttribute('tabindex', '0')
  }

  /** @param {KeyboardEvent} event */
  #key = (event) => {
    const box = this.#boxes.get(this.#current)
    if (box === undefined) return
    if (event.key === 'Enter' || event.key === ' ') this.#act(box.item)
    else if (event.key.startsWith('Arrow')) this.#buttons.get(this.#next(box, event.key) ?? this.#current)?.focus()
    else return
    event.preventDefault()
  }

  /** Along a line down and up, to the nearest beside otherwise. @param {Box} box @param {string} key */
  #next(box, key) {
    const { id } = box.item
    const along =
      key === 'ArrowDown'
        ? this.#edges.find(({ from }) => from === id)?.to
        : key === 'ArrowUp'
          ? this.#edges.find(({ to }) => to === id)?.from
          : undefined
    if (along !== undefined) return along
    const isBeside = key === 'ArrowLeft' || key === 'ArrowRight'
    const sign = key === 'ArrowRight' || key === 'ArrowDown' ? 1 : -1
    const distance = /** @param {Box} other */ (other) => {
      const [dx, dy] = [other.x + other.width / 2 - box.x - box.width / 2, other.y - box.y]
      const [ahead, aside] = isBeside ? [dx * sign, Math.abs(dy)] : [dy * sign, Math.abs(dx)]
      return ahead <= 1 ? Infinity : ahead + 3 * aside
    }
    const others = [...this.#boxes.values()]
      .map((other) => ({ id: other.item.id, far: distance(other) }))
      .filter(({ far }) => far < Infinity)
    return others.sort((a, b) => a.far - b.far)[0]?.id
  }
}

/** @param {Item} item */
function closedSize(item) {
  const texts = [item.scope !== null ? `▸ ${item.scope.label}` : (item.node?.op ?? ''), subText(item)]
  return {
    width: Math.max(64, Math.min(260, 20 + letter * Math.max(...texts.map((text) => text.length)))),
    height: nodeHeight,
  }
}

/** @param {Pick<Item, 'scope' | 'node' | 'label'>} item */
function subText({ scope, node, label }) {
  if (node !== null) return label === node.op ? node.shape.join('×') || 'scalar' : label
  return scope === null
    ? ''
    : scope.parameters > 0
      ? `${short(scope.parameters)} parameters`
      : `${scope.nodes.length} operations`
}

/** What is seen of it, and the rest. @param {Item} item @param {boolean} isOpen */
function describe({ scope, node, label }, isOpen) {
  if (scope !== null) {
    const seen = isOpen ? scope.label : `${scope.label} ${subText({ scope, node, label })}`
    return `${seen}: layer ${scope.id}, ${scope.nodes.length} nodes, ${short(scope.parameters)} parameters`
  }
  if (node === null) return label
  const seen = `${node.op} ${subText({ scope, node, label })}`
  return `${seen}: ${node.name}, ${node.dtype} ${shapeText(node.shape)}, reads ${node.inputs.join(', ') || 'nothing'}`
}

/**
 * Ways from one box of a group to another that lead through what is outside of it: they say which is below the other.
 * @param {readonly import('./scopes.js').Edge[]} edges
 * @param {(id: string) => string} outer
 * @param {ReadonlySet<string>} ids
 */
function around(edges, outer, ids) {
  const from = groupedBy(edges, (edge) => edge.from)
  /** @type {Map<string, import('./layout.js').Arrow>} */
  const found = new Map()
  for (const edge of edges) {
    const start = outer(edge.from)
    if (!ids.has(start) || ids.has(outer(edge.to))) continue
    const seen = new Set([edge.to])
    for (const id of seen) {
      const end = outer(id)
      if (ids.has(end)) {
        if (end !== start) found.set(JSON.stringify([start, end]), { from: start, to: end })
      } else for (const { to } of from.get(id) ?? []) seen.add(to)
    }
  }
  return [...found.values()]
}

/** Beside both, to a box that is further up. @param {Box} a @param {Box} b */
function upward(a, b) {
  const [x0, y0, x1, y1] = [a.x + a.width, a.y + a.height / 2, b.x + b.width, b.y + b.height / 2]
  const x = Math.max(x0, x1) + 34
  return drawing(
    'g',
    { class: 'edge', 'aria-hidden': 'true' },
    drawing('path', { d: `M${x0} ${y0}C${x} ${y0} ${x} ${y0} ${x} ${(y0 + y1) / 2}S${x} ${y1} ${x1} ${y1}` }),
    drawing('path', { class: 'head', d: `M${x1 + 6} ${y1 - 3.5}L${x1} ${y1}L${x1 + 6} ${y1 + 3.5}` }),
  )
}

/** @param {string} op */
const opClass = (op) => (['input', 'output', 'parameter'].includes(op) ? op : 'inner')

/** @param {HTMLDetailsElement} details @param {readonly import('./scopes.js').GraphNode[]} nodes */
function fillTable(details, nodes) {
  if (!details.open || details.querySelector('table') !== null) return
  const heads = ['name', 'operation', 'type', 'shape', 'reads']
  const rows = nodes.map(({ name, op, dtype, shape, inputs }) =>
    element(
      'tr',
      {},
      element('th', { scope: 'row' }, name),
      element('td', {}, op),
      element('td', {}, dtype),
      element('td', {}, shapeText(shape)),
      element('td', {}, inputs.join(', ')),
    ),
  )
  details.append(
    element(
      'div',
      { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Operations' },
      tableUnder(heads, rows),
    ),
  )
}
