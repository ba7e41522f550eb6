// Developer builds of the native core through CMake, run by npm scripts:
//   native.mjs test  release|asan|tsan    builds and runs the native test binary
//   native.mjs addon release|asan|tsan    builds the addon with cmake-js and prints its path
import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const sanitizers = { release: '', asan: 'address', tsan: 'thread' }
const jobs = String(availableParallelism())

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' })
  if (error?.code === 'ENOENT') fail(`${command} not found${command === 'cmake' ? ': apt-get install cmake' : ''}`)
  if (status !== 0) process.exit(status ?? 1)
}

function fail(message) {
  console.error(`native: ${message}`)
  process.exit(1)
}

function test(preset) {
  run('cmake', ['--preset', preset])
  run('cmake', ['--build', '--preset', preset, '--target', 'galvani_native_test', '--parallel', jobs])
  const binary = `build-cmake/${preset}/galvani_native_test`
  // ThreadSanitizer's shadow memory needs a layout that address-space randomisation may not leave free.
  if (preset === 'tsan' && process.platform === 'linux') run('setarch', ['-R', binary])
  else run(binary, [])
}

function addon(preset) {
  const out = `build-cmake/addon-${preset}`
  const sanitize = `--CDGALVANI_SANITIZE=${sanitizers[preset]}`
  run('cmake-js', ['build', '--out', out, '--parallel', jobs, '--target', 'galvani', sanitize])
  console.log(`${out}/Release/galvani.node`)
}

const actions = { test, addon }
const [action, preset] = process.argv.slice(2)
if (!Object.hasOwn(actions, action ?? '')) fail(`expected the action test or addon, got ${action}`)
if (!Object.hasOwn(sanitizers, preset ?? '')) fail(`expected the preset release, asan or tsan, got ${preset}`)
actions[action](preset)
