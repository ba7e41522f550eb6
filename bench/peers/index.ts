/**
 * Galvani beside its peers, in turn, in one table:
 *
 *   npm run bench:peers -- [--python PYTHON] [--rounds N] [--seconds S] [--row NAME]... [--json FILE]
 *
 * Peers that are not installed here are left out; `npm install` in this folder brings those of Node.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import * as g from '../../lib/index.ts'
import { measureMachine } from '../machine.ts'
import { type Machine, type ResultRow, type Results, resultSource, resultTable } from './results.ts'
import { type Report, rows } from './rows.ts'

interface Peer {
  readonly name: string
  readonly version: string
  readonly command: readonly string[]
  readonly env?: Record<string, string>
}

const here = fileURLToPath(new URL('.', import.meta.url))
const { values } = parseArgs({
  options: {
    python: { type: 'string', default: 'python3' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '0.5' },
    row: { type: 'string', multiple: true, default: [] },
    json: { type: 'string' },
  },
})
const unknown = values.row.find((name) => !(name in rows))
if (unknown !== undefined) {
  console.error(`bench:peers: expected a row (${Object.keys(rows).join('; ')}), got ${unknown}`)
  process.exit(1)
}

const typescript = (file: string) => [process.execPath, '--import', 'tsx', `${here}${file}`]

const versionIn = (file: string): string => JSON.parse(readFileSync(file, 'utf8')).version

/** Galvani first; each of the others where its library is here. */
function installedPeers(): Peer[] {
  const npm = (name: string) => {
    const file = `${here}node_modules/${name}/package.json`
    return existsSync(file) ? versionIn(file) : null
  }
  const python = (name: string) => {
    const program = `import ${name}; print(${name}.__version__)`
    const { stdout, status } = spawnSync(values.python, ['-c', program], { encoding: 'utf8' })
    return status === 0 ? stdout.trim() : null
  }
  const peers: Peer[] = [
    { name: 'Galvani', version: versionIn(`${here}../../package.json`), command: typescript('galvani.ts') },
  ]
  for (const name of ['jax', 'torch', 'tensorflow']) {
    const version = python(name)
    if (version !== null) peers.push({ name, version, command: [values.python, `${here}python_peers.py`, name] })
  }
  const ort = npm('onnxruntime-node')
  if (ort !== null) peers.push({ name: 'onnxruntime-node', version: ort, command: typescript('onnxruntime.ts') })
  const tfjs = npm('@tensorflow/tfjs')
  for (const backend of tfjs === null ? [] : ['wasm', 'cpu']) {
    const env = { GALVANI_BENCH_TFJS: backend }
    peers.push({ name: `tfjs ${backend}`, version: tfjs!, command: typescript('tfjs.ts'), env })
  }
  return peers
}

function runPeer({ name, command: [file, ...args], env }: Peer): Report {
  const options = { encoding: 'utf8', env: { ...process.env, ...env }, maxBuffer: 2 ** 26 } as const
  const { stdout, stderr, status } = spawnSync(file!, [...args, values.seconds, ...values.row], options)
  const line = stdout.trim().split('\n').at(-1) ?? ''
  for (const message of stderr.split('\n')) if (message.startsWith('bench:peers: ')) console.error(message)
  if (status === 0 && line.startsWith('{')) return JSON.parse(line) as Report
  console.error(`bench:peers: ${name} failed: ${stderr.trim().split('\n').at(-1)}`)
  return { name, microseconds: {} }
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1]!

function machineOfRun(): Machine {
  const { isa, threads } = g.backendInfo()
  const { isa: _, ...measured } = measureMachine()
  return { processor: cpus()[0]!.model.trim(), threads, isa, ...measured }
}

/** The medians of a row's reports. */
function resultOf(row: string, reports: ReadonlyMap<string, readonly Report[]>): ResultRow {
  const microseconds: Record<string, number> = {}
  for (const [name, found] of reports) {
    const times = found.flatMap((report) => report.microseconds[row] ?? [])
    if (times.length > 0) microseconds[name] = median(times)
  }
  const limits = [...reports.values()].flat().flatMap(({ limits }) => limits?.[row] ?? [])
  return limits.length > 0 ? { microseconds, limit: median(limits) } : { microseconds }
}

// What it needs to be built may be missing: that is told before all else is measured.
const machine = machineOfRun()
const peers = installedPeers()
const reports = new Map(peers.map(({ name }) => [name, [] as Report[]]))
for (let round = 0; round < Number(values.rounds); round++)
  for (const peer of peers) reports.get(peer.name)!.push(runPeer(peer))

const results: Results = {
  date: new Date().toISOString().slice(0, 10),
  node: process.version,
  machine,
  versions: Object.fromEntries(peers.map(({ name, version }) => [name, version])),
  rows: Object.fromEntries(Object.keys(rows).map((row) => [row, resultOf(row, reports)])),
}
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`)
console.log(`${resultSource(results)}\n\n${resultTable(results)}`)
