// npm start: brings the addon and dist up to date, then trains. Arguments after `--` go to the example.
import { spawnSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

function run(command, args) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}

function modified(path) {
  const stat = statSync(`${root}/${path}`, { throwIfNoEntry: false })
  if (!stat) return Number.NEGATIVE_INFINITY
  if (!stat.isDirectory()) return stat.mtimeMs
  return Math.max(...readdirSync(`${root}/${path}`).map((name) => modified(`${path}/${name}`)))
}

const isStale = (output, sources) => modified(output) < Math.max(...sources.map(modified))

if (isStale('build/Release/galvani.node', ['native', 'binding.gyp'])) run('npm', ['run', 'build:native'])
if (isStale('dist/index.js', ['lib', 'tsdown.config.ts', 'package.json'])) run('npm', ['run', 'build'])
run('tsx', ['examples/train-mnist.ts', ...process.argv.slice(2)])
