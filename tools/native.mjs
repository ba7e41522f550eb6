// Developer builds of the native core through CMake, run by npm scripts:
//   native.mjs test   release|asan|tsan      builds and runs the native tests
//   native.mjs replay release|asan|tsan      runs the programs of test/ops/cases.ts in the native test binary
//   native.mjs bench  NAME [ARGUMENT...]     builds and runs native/bench/NAME.cc
//   native.mjs addon  release|asan|tsan      builds the addon with cmake-js and prints its path
//   native.mjs vitest asan [ARGUMENT...]     runs vitest on the addon built so
import { execFileSync, spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const sanitizers = { release: '', asan: 'address', tsan: 'thread' }
const jobs = String(availableParallelism())

// An allocation beyond memory returns null, as it does without a sanitizer. Node itself leaks at exit.
const sanitizerOptions = {
  ASAN_OPTIONS: 'allocator_may_return_null=1',
  TSAN_OPTIONS: 'allocator_may_return_null=1',
  UBSAN_OPTIONS: 'print_stacktrace=1',
}
const insideNode = { ASAN_OPTIONS: `${sanitizerOptions.ASAN_OPTIONS}:detect_leaks=0` }

function run(command, args, environment = {}) {
  const env = { ...process.env, ...sanitizerOptions, ...environment }
  const { status, signal, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit', env })
  if (error?.code === 'ENOENT') fail(`${command} not found${command === 'cmake' ? ': apt-get install cmake' : ''}`)
  if (signal) fail(`${command} died of ${signal}`)
  if (status !== 0) process.exit(status ?? 1)
}

function fail(message) {
  console.error(`native: ${message}`)
  process.exit(1)
}

function checkPreset(preset) {
  if (!Object.hasOwn(sanitizers, preset ?? '')) fail(`expected the preset release, asan or tsan, got ${preset}`)
}

function build(preset, target) {
  checkPreset(preset)
  run('cmake', ['--preset', preset])
  run('cmake', ['--build', '--preset', preset, '--target', target, '--parallel', jobs])
  return join(root, 'build-cmake', preset, target)
}

function test(preset, ...args) {
  const binary = build(preset, 'galvani_native_test')
  // ThreadSanitizer's shadow memory needs a layout that address-space randomisation may not leave free.
  if (preset === 'tsan' && process.platform === 'linux') run('setarch', ['-R', binary, ...args])
  else run(binary, args)
}

function replay(preset) {
  const file = join(root, 'build-cmake', 'cases.replay')
  run('tsx', ['test/support/write-replay.ts', file])
  test(preset, '--replay', file)
}

function bench(name, ...args) {
  run(build('release', `galvani_${name}`), args)
}

function addon(preset) {
  checkPreset(preset)
  const out = join(root, 'build-cmake', `addon-${preset}`)
  const sanitize = `--CDGALVANI_SANITIZE=${sanitizers[preset]}`
  run('cmake-js', ['build', '--log-level', 'warn', '--out', out, '--parallel', jobs, '--target', 'galvani', sanitize])
  const file = join(out, 'Release', 'galvani.node')
  console.log(file)
  return file
}

function vitest(preset, ...args) {
  if (preset !== 'asan') fail(`expected the preset asan, got ${preset}`)
  const file = addon(preset)
  // Node is not instrumented, so that the sanitizer's runtime must be there before it.
  const runtime = execFileSync('c++', ['-print-file-name=libasan.so'], { encoding: 'utf8' }).trim()
  run('vitest', ['run', ...args], { ...insideNode, GALVANI_ADDON: file, LD_PRELOAD: runtime })
}

const actions = { test, replay, bench, addon, vitest }
const [action, ...rest] = process.argv.slice(2)
if (!Object.hasOwn(actions, action ?? '')) fail(`expected ${Object.keys(actions).join(', ')}, got ${action}`)
actions[action](...rest)
