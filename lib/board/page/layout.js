// Where boxes of a graph stand: in layers, each below all that it reads, and the lines between them bent around other boxes.
import { groupedBy } from './lists.js'

/**
 * @typedef {{ id: string, width: number, height: number }} Box
 * @typedef {{ from: string, to: string }} Arrow
 * @typedef {{ x: number, y: number }} Place
 * @typedef {{ places: Map<string, Place>, bends: Map<Arrow, Place[]>, width: number, height: number }} Layout places are those of upper left corners
 */

const [besides, between, bendWidth, sweeps] = [22, 46, 14, 6]

/**
 * @param {readonly Box[]} boxes
 * @param {readonly Arrow[]} arrows between two of them; those to a box itself count for nothing
 * @returns {Layout}
 */
export function layered(boxes, arrows) {
  const sizes = new Map(boxes.map((box) => [box.id, box]))
  const known = arrows.filter(({ from, to }) => from !== to && sizes.has(from) && sizes.has(to))
  const ranks = ranksOf(boxes, known)
  const rows = rowsOf(boxes, ranks)
  const { chains, neighbours } = withBends(known, ranks, rows, sizes)
  order(rows, neighbours)
  const lefts = lanes(rows, neighbours, sizes)
  return placed(rows, lefts, sizes, chains)
}

/**
 * The longest way to each from what reads nothing. Arrows that would close a circle, as those between groups may, are passed over.
 * @param {readonly Box[]} boxes
 * @param {readonly Arrow[]} arrows
 */
function ranksOf(boxes, arrows) {
  const below = groupedBy(arrows, ({ from }) => from)
  /** @type {Map<string, 'open' | 'done'>} */
  const state = new Map()
  /** @type {string[]} */
  const finished = []
  /** @type {Set<Arrow>} */
  const backward = new Set()
  for (const { id } of boxes) {
    if (state.has(id)) continue
    state.set(id, 'open')
    const stack = [{ id, next: 0 }]
    while (stack.length > 0) {
      const top = stack[stack.length - 1]
      const arrow = below.get(top.id)?.[top.next++]
      if (arrow === undefined) {
        state.set(top.id, 'done')
        finished.push(top.id)
        stack.pop()
      } else if (state.get(arrow.to) === 'open') backward.add(arrow)
      else if (!state.has(arrow.to)) {
        state.set(arrow.to, 'open')
        stack.push({ id: arrow.to, next: 0 })
      }
    }
  }
  /** @type {Map<string, number>} */
  const ranks = new Map(boxes.map(({ id }) => [id, 0]))
  const rank = /** @param {string} id */ (id) => /** @type {number} */ (ranks.get(id))
  for (const id of finished.reverse())
    for (const arrow of below.get(id) ?? [])
      if (!backward.has(arrow)) ranks.set(arrow.to, Math.max(rank(arrow.to), rank(id) + 1))
  // What reads nothing stands just above what reads it.
  const hasAbove = new Set(arrows.filter((arrow) => !backward.has(arrow)).map(({ to }) => to))
  for (const { id } of boxes) {
    const lower = (below.get(id) ?? []).filter((arrow) => !backward.has(arrow)).map(({ to }) => rank(to))
    if (!hasAbove.has(id) && lower.length > 0) ranks.set(id, Math.min(...lower) - 1)
  }
  return ranks
}

/** @param {readonly Box[]} boxes @param {ReadonlyMap<string, number>} ranks */
function rowsOf(boxes, ranks) {
  /** @type {string[][]} */
  const rows = []
  for (const { id } of boxes) {
    const rank = ranks.get(id) ?? 0
    while (rows.length <= rank) rows.push([])
    rows[rank].push(id)
  }
  return rows
}

/**
 * A place to bend in each row that an arrow crosses.
 * @param {readonly Arrow[]} arrows
 * @param {ReadonlyMap<string, number>} ranks
 * @param {string[][]} rows
 * @param {Map<string, Box>} sizes
 */
function withBends(arrows, ranks, rows, sizes) {
  /** @type {Map<Arrow, string[]>} */
  const chains = new Map()
  /** @type {Map<string, { above: string[], below: string[] }>} */
  const neighbours = new Map()
  const of = /** @param {string} id */ (id) => {
    let found = neighbours.get(id)
    if (found === undefined) {
      found = { above: [], below: [] }
      neighbours.set(id, found)
    }
    return found
  }
  arrows.forEach((arrow, n) => {
    const [a, b] = [ranks.get(arrow.from) ?? 0, ranks.get(arrow.to) ?? 0]
    const isDown = a <= b
    const [upper, lower] = isDown ? [arrow.from, arrow.to] : [arrow.to, arrow.from]
    const chain = [upper]
    for (let rank = Math.min(a, b) + 1; rank < Math.max(a, b); rank++) {
      const id = `\0bend ${n} ${rank}`
      sizes.set(id, { id, width: bendWidth, height: 0 })
      rows[rank].push(id)
      chain.push(id)
    }
    chain.push(lower)
    for (let i = 1; i < chain.length; i++) {
      of(chain[i - 1]).below.push(chain[i])
      of(chain[i]).above.push(chain[i - 1])
    }
    const bends = chain.slice(1, -1)
    chains.set(arrow, isDown ? bends : bends.reverse())
  })
  return { chains, neighbours }
}

/**
 * Sorts each row by where its neighbours stand, down and up some times, so that few lines cross.
 * @param {string[][]} rows
 * @param {ReadonlyMap<string, { above: string[], below: string[] }>} neighbours
 */
function order(rows, neighbours) {
  /** @type {Map<string, number>} */
  const at = new Map()
  const note = /** @param {string[]} row */ (row) => {
    for (const [i, id] of row.entries()) at.set(id, (i + 0.5) / row.length)
  }
  for (const row of rows) note(row)
  for (let sweep = 0; sweep < sweeps; sweep++) {
    const side = sweep % 2 === 0 ? 'above' : 'below'
    for (const row of side === 'above' ? rows : [...rows].reverse()) {
      const weights = new Map(
        row.map((id) => [
          id,
          mean((neighbours.get(id)?.[side] ?? []).map((other) => at.get(other) ?? 0)) ?? at.get(id) ?? 0,
        ]),
      )
      row.sort((a, b) => Number(weights.get(a)) - Number(weights.get(b)))
      note(row)
    }
  }
}

/** @param {readonly number[]} values */
const mean = (values) => (values.length === 0 ? null : values.reduce((a, b) => a + b, 0) / values.length)

/**
 * Left edges: each under the middle of its neighbours as far as its row has room.
 * @param {readonly string[][]} rows
 * @param {ReadonlyMap<string, { above: string[], below: string[] }>} neighbours
 * @param {ReadonlyMap<string, Box>} sizes
 */
function lanes(rows, neighbours, sizes) {
  const width = /** @param {string} id */ (id) => /** @type {Box} */ (sizes.get(id)).width
  /** @type {Map<string, number>} */
  const lefts = new Map()
  for (const row of rows) {
    const total = row.reduce((sum, id) => sum + width(id) + besides, -besides)
    let left = -total / 2
    for (const id of row) {
      lefts.set(id, left)
      left += width(id) + besides
    }
  }
  const middle = /** @param {string} id */ (id) => Number(lefts.get(id)) + width(id) / 2
  for (let sweep = 0; sweep < sweeps; sweep++) {
    const side = sweep % 2 === 0 ? 'above' : 'below'
    for (const row of side === 'above' ? rows : [...rows].reverse()) {
      const wished = row.map(
        (id) => (mean((neighbours.get(id)?.[side] ?? []).map(middle)) ?? middle(id)) - width(id) / 2,
      )
      for (const [i, left] of spread(row.map(width), wished).entries()) lefts.set(row[i], left)
    }
  }
  return lefts
}

/**
 * Left edges in order, as near to those that are wished for as fits: neighbours that would overlap stand together around the mean of their wishes.
 * @param {readonly number[]} widths
 * @param {readonly number[]} wished
 */
function spread(widths, wished) {
  /** @type {{ left: number, width: number, wish: number, count: number }[]} */
  const blocks = []
  wished.forEach((wish, i) => {
    let block = { left: wish, width: widths[i], wish, count: 1 }
    for (
      let last = blocks.at(-1);
      last !== undefined && last.left + last.width + besides > block.left;
      last = blocks.at(-1)
    ) {
      blocks.pop()
      const count = last.count + block.count
      // What each wishes for the first one of them.
      const wish = (last.wish * last.count + (block.wish - last.width - besides) * block.count) / count
      block = { left: wish, width: last.width + besides + block.width, wish, count }
    }
    blocks.push(block)
  })
  /** @type {number[]} */
  const lefts = []
  for (const { left, count } of blocks) {
    let at = left
    for (let n = 0; n < count; n++) {
      lefts.push(at)
      at += widths[lefts.length - 1] + besides
    }
  }
  return lefts
}

/**
 * @param {readonly string[][]} rows
 * @param {ReadonlyMap<string, number>} lefts
 * @param {ReadonlyMap<string, Box>} sizes
 * @param {ReadonlyMap<Arrow, string[]>} chains
 * @returns {Layout}
 */
function placed(rows, lefts, sizes, chains) {
  const first = Math.min(0, ...lefts.values())
  /** @type {Map<string, Place>} */
  const places = new Map()
  let [top, right] = [0, 0]
  for (const row of rows) {
    const tall = Math.max(0, ...row.map((id) => sizes.get(id)?.height ?? 0))
    for (const id of row) {
      const { width, height } = /** @type {Box} */ (sizes.get(id))
      const x = Number(lefts.get(id)) - first
      places.set(id, { x, y: top + (tall - height) / 2 })
      right = Math.max(right, x + width)
    }
    top += tall + between
  }
  const bends = new Map(
    [...chains].map(([arrow, ids]) => [arrow, ids.map((id) => bendAt(/** @type {Place} */ (places.get(id))))]),
  )
  for (const id of [...places.keys()]) if (id.startsWith('\0')) places.delete(id)
  return { places, bends, width: right, height: Math.max(0, top - between) }
}

/** @param {Place} place */
const bendAt = ({ x, y }) => ({ x: x + bendWidth / 2, y })
