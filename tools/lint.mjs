// npm run lint: biome for TypeScript, JSON and CSS, clang-format for native/. Without clang-format that half is left out,
// and says so; under CI it may not be missing. `lint.mjs --fix` formats what it can, `--native` and
// `--typescript` check one half alone.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const fix = process.argv.includes('--fix')

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' })
  if (error && error.code !== 'ENOENT') throw error
  return error ? 'missing' : status === 0
}

/** Whether the C++ is formatted; the version of clang-format counts, as each breaks some lines in its own way. */
function lintNative() {
  const files = readdirSync(join(root, 'native'), { recursive: true }).filter((file) => /\.(cc|h)$/.test(file))
  const mode = fix ? ['-i'] : ['--dry-run', '--Werror']
  const passed = run('clang-format', [...mode, ...files.map((file) => join('native', file))])
  if (passed !== 'missing') return passed
  console.log('lint: C++ formatting was not checked, clang-format is missing: apt-get install clang-format')
  return process.env.CI !== 'true'
}

function lintTypeScript() {
  const passed = run('biome', ['check', '--error-on-warnings', ...(fix ? ['--write'] : [])])
  if (passed === 'missing') console.log('lint: biome is missing: npm ci')
  return passed === true
}

const only = (half) => process.argv.includes(half)
process.exitCode = (only('--native') || lintTypeScript()) && (only('--typescript') || lintNative()) ? 0 : 1
