/** What a run of all peers has measured, as it is kept in results.json, and the tables that are made of it. */

/** On which machine. */
export interface Machine {
  readonly processor: string
  readonly threads: number
  readonly isa: string
  /** Of one core: how often it turns, its multiplications and additions, and what a copy in memory reads and writes. */
  readonly gigahertz: number
  readonly gflops: number
  readonly copyGBs: number
  /** Between two threads: to hand over work and to know that it is done, and to read a line that the other has written. */
  readonly forkJoinNanoseconds: number
  readonly lineNanoseconds: number
}

export interface Results {
  readonly date: string
  readonly node: string
  readonly machine: Machine
  /** Of each peer, Galvani first. */
  readonly versions: Readonly<Record<string, string>>
  readonly rows: Readonly<Record<string, ResultRow>>
}

export interface ResultRow {
  /** The median over the rounds, by peer; those that cannot do the row are missing. */
  readonly microseconds: Readonly<Record<string, number>>
  /** What arithmetic or memory needs for Galvani's program at least, as `inspect` says. */
  readonly limit?: number
}

const formatTime = (µs: number): string => (µs < 1e4 ? `${threeDigits(µs)} µs` : `${threeDigits(µs / 1000)} ms`)

/** At least three, without an exponent. */
const threeDigits = (x: number): string => (x < 100 ? x.toPrecision(3) : x.toFixed(0))

/** Lines of Markdown with columns as wide as what stands in them. */
export function markdownTable(rows: readonly (readonly string[])[]): string {
  const [head = []] = rows
  const widths = head.map((_, i) => Math.max(3, ...rows.map((row) => row[i]!.length)))
  const line = (cells: readonly string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(' | ')} |`
  const [first, ...others] = rows.map(line)
  return [first, line(widths.map((width) => '-'.repeat(width))), ...others].join('\n')
}

/** A row for each that Galvani has a time of: the times, its share of the best peer's, and the limit's share of it. */
export function resultTable({ versions, rows }: Results): string {
  const [ours = '', ...others] = Object.keys(versions)
  const measured = Object.entries(rows).filter(([, { microseconds }]) => microseconds[ours] !== undefined)
  return markdownTable([
    ['', ours, ...others, `${ours} / best`, 'limit'],
    ...measured.map(([name, { microseconds, limit }]) => {
      const time = microseconds[ours]!
      const best = Math.min(...others.map((peer) => microseconds[peer] ?? Infinity))
      return [
        name,
        ...[ours, ...others].map((peer) => (microseconds[peer] === undefined ? '' : formatTime(microseconds[peer]))),
        Number.isFinite(best) ? (time / best).toFixed(2) : '',
        limit === undefined ? '' : `${Math.round((100 * limit) / time)}%`,
      ]
    }),
  ])
}

/** Where and with what it was measured, in a sentence. */
export function resultSource({ date, node, machine, versions }: Results): string {
  const { processor, threads, isa, gigahertz, gflops, copyGBs, forkJoinNanoseconds, lineNanoseconds } = machine
  const [, ...peers] = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  return (
    `Medians of ${date}, Node ${node.replace(/^v/, '')}, ${threads} threads of an ${processor} (${isa}; of one core, measured in the same run: ` +
    `${gigahertz} GHz, ${gflops} GFLOP/s, a copy in memory ${copyGBs} GB/s; between two: work handed over and back in ${forkJoinNanoseconds} ns, ` +
    `${lineNanoseconds} ns more for a cache line of the other). Versions: ${peers.join(', ')}.`
  )
}
