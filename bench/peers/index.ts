/**
 * Galvani beside its peers, in turn, in one table:
 *
 *   npm run bench:peers -- [--python PYTHON] [--rounds N] [--seconds S] [--row NAME]...
 *
 * Peers that are not installed here are left out; `npm install` in this folder brings those of Node.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import * as g from '../../lib/index.ts'
import { type Report, rows } from './rows.ts'

interface Peer {
  readonly name: string
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
  },
})
const unknown = values.row.find((name) => !(name in rows))
if (unknown !== undefined) {
  console.error(`bench:peers: expected a row (${Object.keys(rows).join('; ')}), got ${unknown}`)
  process.exit(1)
}

const typescript = (file: string) => [process.execPath, '--import', 'tsx', `${here}${file}`]

/** Galvani first; each of the others where its library is here. */
function installedPeers(): Peer[] {
  const npm = (name: string) => existsSync(`${here}node_modules/${name}`)
  const python = (name: string) => spawnSync(values.python, ['-c', `import ${name}`], { stdio: 'ignore' }).status === 0
  const peers: Peer[] = [{ name: 'Galvani', command: typescript('galvani.ts') }]
  for (const name of ['jax', 'torch', 'tensorflow'])
    if (python(name)) peers.push({ name, command: [values.python, `${here}python_peers.py`, name] })
  if (npm('onnxruntime-node')) peers.push({ name: 'onnxruntime-node', command: typescript('onnxruntime.ts') })
  if (npm('@tensorflow/tfjs'))
    for (const backend of ['wasm', 'cpu'])
      peers.push({ name: `tfjs ${backend}`, command: typescript('tfjs.ts'), env: { GALVANI_BENCH_TFJS: backend } })
  return peers
}

function runPeer({ name, command: [file, ...args], env }: Peer): Report['microseconds'] {
  const options = { encoding: 'utf8', env: { ...process.env, ...env }, maxBuffer: 2 ** 26 } as const
  const { stdout, stderr, status } = spawnSync(file!, [...args, values.seconds, ...values.row], options)
  const line = stdout.trim().split('\n').at(-1) ?? ''
  if (status === 0 && line.startsWith('{')) return (JSON.parse(line) as Report).microseconds
  console.error(`bench:peers: ${name} failed: ${stderr.trim().split('\n').at(-1)}`)
  return {}
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1]!

const formatTime = (µs: number): string => (µs < 1e4 ? `${threeDigits(µs)} µs` : `${threeDigits(µs / 1000)} ms`)

/** At least three, without an exponent. */
const threeDigits = (x: number): string => (x < 100 ? x.toPrecision(3) : x.toFixed(0))

const peers = installedPeers()
const measured = new Map(peers.map((peer) => [peer.name, [] as Report['microseconds'][]]))
for (let round = 0; round < Number(values.rounds); round++)
  for (const peer of peers) measured.get(peer.name)!.push(runPeer(peer))

const { isa, threads } = g.backendInfo()
console.log(
  `${new Date().toISOString().slice(0, 10)}, ${cpus()[0]!.model}, ${threads} threads, ${isa}, Node ${process.version}\n`,
)
const others = peers.slice(1).map(({ name }) => name)
console.log(`| | Galvani | ${others.join(' | ')} | Galvani / best |`)
console.log(`| --- |${' --- |'.repeat(peers.length + 1)}`)
for (const row of Object.keys(rows)) {
  const times = peers.map(({ name }) => {
    const found = measured.get(name)!.flatMap((report) => report[row] ?? [])
    return found.length > 0 ? median(found) : undefined
  })
  const [ours, ...theirs] = times
  if (ours === undefined) continue
  const best = Math.min(...theirs.map((µs) => µs ?? Infinity))
  const cells = times.map((µs) => (µs === undefined ? '' : formatTime(µs)))
  console.log(`| ${row} | ${cells.join(' | ')} | ${Number.isFinite(best) ? (ours / best).toFixed(2) : ''} |`)
}
