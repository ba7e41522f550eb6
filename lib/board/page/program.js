// The program of a run and its roofline: which instruction takes the time, and what the machine would need for it at least.
import { drawing, element, newId, replace, tableUnder } from './dom.js'
import { noSuch } from './empty.js'
import { bytes, percent, short, withUnit } from './format.js'
import { followRecords, viewOfRun } from './pick.js'

/**
 * @typedef {Extract<import('./source.js').RunRecord, { type: 'program' }>} Program
 * @typedef {import('../../events/record.ts').InstructionValue & { number: number }} Instruction
 */

/**
 * @param {HTMLElement} root
 * @param {AbortSignal} signal
 */
export function openProgram(root, signal) {
  viewOfRun(
    root,
    signal,
    (content, run, signal) => {
      if (!run.has.includes('program'))
        return replace(
          content,
          noSuch('program', 'It is recorded with `program: true`, with what `inspect` measures of each instruction.'),
        )
      followRecords(
        run,
        'program',
        undefined,
        (programs) => replace(content, newestByTitle(programs).map(programCard)),
        signal,
      )
    },
    ({ has }) => String(has.includes('program')),
  )
}

/** @param {readonly Program[]} programs */
const newestByTitle = (programs) => [...new Map(programs.map((program) => [program.title, program])).values()]

/** @param {Program} program */
function programCard(program) {
  const id = newId()
  const instructions = program.instructions.map((instruction, number) => ({ ...instruction, number: number + 1 }))
  const sorted = instructions.sort((a, b) => (b.microseconds ?? 0) - (a.microseconds ?? 0))
  const total = sum(sorted, ({ microseconds = 0 }) => microseconds)
  const limit = sum(sorted, ({ limitMicroseconds = 0 }) => limitMicroseconds)
  const facts = [
    total > 0 && `${short(total)} µs measured`,
    limit > 0 && `${short(limit)} µs at least`,
    `${withUnit(
      sum(sorted, ({ flops }) => flops),
      'FLOP',
    )}`,
    `${bytes(sum(sorted, (instruction) => instruction.bytes))} read and written`,
  ].filter(Boolean)
  return element(
    'section',
    { class: 'card', 'aria-labelledby': id },
    element('header', {}, element('h2', { id }, program.title), element('p', { class: 'quiet' }, facts.join(' · '))),
    total > 0 && roofline(sorted, program),
    element(
      'div',
      { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': `Instructions of ${program.title}` },
      instructionTable(sorted, total),
    ),
  )
}

/** @template T @param {readonly T[]} items @param {(item: T) => number} value */
const sum = (items, value) => items.reduce((total, item) => total + value(item), 0)

/** @param {readonly Instruction[]} instructions @param {number} total */
function instructionTable(instructions, total) {
  const heads = ['no.', 'instruction', 'time', 'share of time', 'of the limit', 'FLOP', 'bytes', 'FLOP per byte']
  const rows = instructions.map(({ number, opcode, text, microseconds, limitMicroseconds, flops, bytes: size }) =>
    element(
      'tr',
      {},
      element('td', { class: 'number quiet' }, number),
      element('th', { scope: 'row', class: 'instruction' }, element('strong', {}, opcode), element('code', {}, text)),
      element('td', { class: 'number' }, microseconds === undefined ? '–' : `${short(microseconds)}\u202fµs`),
      bar(microseconds === undefined || total === 0 ? NaN : microseconds / total, 'time'),
      bar(
        microseconds === undefined || limitMicroseconds === undefined ? NaN : limitMicroseconds / microseconds,
        'limit',
      ),
      element('td', { class: 'number' }, withUnit(flops, '')),
      element('td', { class: 'number' }, bytes(size)),
      element('td', { class: 'number' }, short(size > 0 ? flops / size : NaN)),
    ),
  )
  return tableUnder(heads, rows, { class: 'instructions' })
}

/** @param {number} part @param {string} kind */
const bar = (part, kind) =>
  element(
    'td',
    { class: 'number' },
    element(
      'span',
      { class: `bar ${kind}`, style: { '--part': Number.isFinite(part) ? Math.min(1, part).toFixed(4) : 0 } },
      percent(part),
    ),
  )

const [width, height] = [720, 300]
const inner = { left: 64, right: width - 16, top: 14, bottom: height - 40 }

/** Rates over how much is done with a byte, both logarithmic, under the roof that the machine's arithmetic and memory are. @param {readonly Instruction[]} instructions @param {Program} program */
function roofline(instructions, { gigaflops, gigabytesPerSecond, title }) {
  const points = instructions.flatMap(({ number, opcode, flops, bytes: size, microseconds }) =>
    microseconds !== undefined && microseconds > 0 && flops > 0 && size > 0
      ? [{ number, opcode, microseconds, x: flops / size, y: flops / microseconds / 1000 }]
      : [],
  )
  if (points.length === 0) return null
  const hasRoof = gigaflops !== undefined && gigabytesPerSecond !== undefined
  const ridge = hasRoof ? gigaflops / gigabytesPerSecond : points[0].x
  const [x0, x1] = decades([...points.map(({ x }) => x), ridge])
  const [y0, y1] = decades([...points.map(({ y }) => y), ...(hasRoof ? [gigaflops] : [])])
  const left = scale(x0, x1, inner.left, inner.right)
  const top = scale(y0, y1, inner.bottom, inner.top)
  const longest = Math.max(...points.map(({ microseconds }) => microseconds))
  /** Where numbers stand: those that take the most time first, and none over another. @type {[number, number][]} */
  const labels = []
  const hasRoom = /** @param {number} x @param {number} y */ (x, y) => {
    if (labels.some(([a, b]) => Math.abs(a - x) < 18 && Math.abs(b - y) < 12)) return false
    labels.push([x, y])
    return true
  }
  return element(
    'figure',
    { class: 'roofline' },
    drawing(
      'svg',
      {
        viewBox: `0 0 ${width} ${height}`,
        role: 'img',
        'aria-label': `Roofline of ${title}: ${points.length} instructions, rate over arithmetic intensity. The table below has the same figures.`,
      },
      grid(x0, x1, y0, y1, left, top),
      hasRoof && roof(gigaflops, gigabytesPerSecond, x0, x1, y0, left, top),
      points.map(({ number, opcode, x, y, microseconds }) => {
        const radius = 4 + 12 * Math.sqrt(microseconds / longest)
        return drawing(
          'g',
          {},
          drawing(
            'title',
            {},
            `${number} ${opcode}: ${short(y)} GFLOP/s at ${short(x)} FLOP per byte, ${short(microseconds)} µs`,
          ),
          drawing('circle', { class: 'dot', cx: left(x), cy: top(y), r: radius }),
          hasRoom(left(x) + radius, top(y)) &&
            drawing('text', { class: 'dot-label', x: left(x) + radius + 3, y: top(y) + 4 }, number),
        )
      }),
    ),
    element(
      'figcaption',
      { class: 'quiet' },
      hasRoof
        ? `Up to ${short(gigaflops)} GFLOP/s of arithmetic and ${short(gigabytesPerSecond)} GB/s of memory. A dot is an instruction by its number, as large as its time; below the line is what the machine could do and does not, above it is what found its data in a cache.`
        : 'A dot is an instruction by its number, as large as its time. What the machine can do at best was not measured.',
    ),
  )
}

/** Powers of ten around values. @param {readonly number[]} values @returns {[number, number]} */
const decades = (values) => {
  const [low, high] = [
    Math.floor(Math.log10(Math.min(...values)) - 0.05),
    Math.ceil(Math.log10(Math.max(...values)) + 0.05),
  ]
  return [low, Math.max(high, low + 1)]
}

/** @param {number} low @param {number} high @param {number} from @param {number} to */
const scale = (low, high, from, to) => /** @param {number} value */ (value) =>
  from + ((Math.log10(value) - low) / (high - low)) * (to - from)

/** @param {number} x0 @param {number} x1 @param {number} y0 @param {number} y1 @param {(x: number) => number} left @param {(y: number) => number} top */
function grid(x0, x1, y0, y1, left, top) {
  const powers = /** @param {number} low @param {number} high */ (low, high) =>
    Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i))
  return [
    ...powers(x0, x1).flatMap((x) => [
      drawing('line', { class: 'grid', x1: left(x), x2: left(x), y1: inner.top, y2: inner.bottom }),
      drawing('text', { class: 'tick', x: left(x), y: inner.bottom + 16, 'text-anchor': 'middle' }, short(x)),
    ]),
    ...powers(y0, y1).flatMap((y) => [
      drawing('line', { class: 'grid', x1: inner.left, x2: inner.right, y1: top(y), y2: top(y) }),
      drawing('text', { class: 'tick', x: inner.left - 8, y: top(y) + 4, 'text-anchor': 'end' }, short(y)),
    ]),
    drawing('text', { class: 'tick', x: inner.right, y: inner.bottom + 34, 'text-anchor': 'end' }, 'FLOP per byte'),
    drawing('text', { class: 'tick', x: inner.left + 6, y: inner.top + 10 }, 'GFLOP/s'),
  ]
}

/** @param {number} gigaflops @param {number} gigabytes @param {number} x0 @param {number} x1 @param {number} y0 @param {(x: number) => number} left @param {(y: number) => number} top */
function roof(gigaflops, gigabytes, x0, x1, y0, left, top) {
  const ridge = gigaflops / gigabytes
  const from = Math.max(10 ** x0, 10 ** y0 / gigabytes)
  const corners = [
    [from, from * gigabytes],
    [ridge, gigaflops],
    [10 ** x1, gigaflops],
  ]
  return drawing('polyline', { class: 'roof', points: corners.map(([x, y]) => `${left(x)},${top(y)}`).join(' ') })
}
