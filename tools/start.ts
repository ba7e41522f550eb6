/** npm start: brings the addon and dist up to date, then trains. Arguments after `--` go to the example. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { isStale } from './stale.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

function run(command: string, args: readonly string[]): void {
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}

if (isStale(root, 'build/Release/galvani.node', ['native', 'binding.gyp'])) run('npm', ['run', 'build:native'])
if (isStale(root, 'dist/index.js', ['lib', 'tsdown.config.ts', 'package.json'])) run('npm', ['run', 'build:js'])
run('tsx', ['examples/train-mnist.ts', ...process.argv.slice(2)])
