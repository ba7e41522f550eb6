// npm test: runs every stage, streams its output, and ends with one line: `N passed, N failed`.
// Each vitest test and each native test counts; any other stage counts as one, a replay of the parity cases too.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const scratch = mkdtempSync(join(tmpdir(), 'galvani-test-'))
const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const tarball = join(scratch, `${name}-${version}.tgz`)

const useDist = 'if (g.tensor([1, 2]).add(1).dataSync()[1] !== 3) process.exit(1)'

const useAvx2 = `import * as g from '${name}'; ${useDist}; if (g.backendInfo().isa !== 'avx2') process.exit(1)`

const stages = [
  { title: 'lint', command: ['biome', 'check', '--error-on-warnings'] },
  { title: 'types', command: ['tsc'] },
  { title: 'addon', command: ['node-gyp', 'configure', 'build', '--jobs', 'max', '--loglevel', 'warn'] },
  { title: 'dist', command: ['tsdown'] },
  { title: 'import', command: ['node', '--input-type=module', '-e', `import * as g from '${name}'; ${useDist}`] },
  { title: 'require', command: ['node', '-e', `const g = require('${name}'); ${useDist}`] },
  { title: 'pack', command: ['npm', 'pack', '--ignore-scripts', '--silent', '--pack-destination', scratch] },
  { title: 'publint', command: ['publint', 'run', '--strict', tarball] },
  { title: 'attw', command: ['attw', '--no-definitely-typed', tarball] },
  { title: 'native tests, ASan and UBSan', command: ['node', 'tools/native.mjs', 'test', 'asan'], count: nativeTests },
  { title: 'native tests, TSan', command: ['node', 'tools/native.mjs', 'test', 'tsan'], count: nativeTests },
  { title: 'cases, ASan and UBSan', command: ['node', 'tools/native.mjs', 'replay', 'asan'] },
  { title: 'cases, TSan', command: ['node', 'tools/native.mjs', 'replay', 'tsan'] },
  vitestStage('binding, ASan and UBSan', ['npm', 'run', '--silent', 'native:binding', '--']),
  vitestStage('vitest', ['vitest', 'run']),
  ...(process.platform === 'linux' && process.arch === 'x64' ? emulatedStages() : []),
]

// Machines other than this one: arm64, and x86 with AVX-512, without it, or without any AVX.
function emulatedStages() {
  const native = (...args) => ['node', 'tools/native.mjs', ...args]
  return [
    { title: 'wide instructions', command: native('disassemble') },
    { title: 'native tests, AVX-512', command: native('test', 'avx512'), count: nativeTests },
    { title: 'native tests, arm64', command: native('test', 'arm64'), count: nativeTests },
    { title: 'cases, arm64', command: native('replay', 'arm64') },
    vitestStage('parity, Nehalem', ['npm', 'run', '--silent', 'native:nehalem', '--', '-t', '^(?!fusion)']),
    // qemu 7.2 crashes in vitest as a Haswell, though not in Node: so the recorded programs run without it.
    { title: 'native tests, Haswell', command: native('test', 'haswell'), count: nativeTests },
    { title: 'cases, Haswell', command: native('replay', 'haswell') },
    { title: 'addon, Haswell', command: native('node', 'haswell', '--input-type=module', '-e', useAvx2) },
  ]
}

function wholeStage(exitCode) {
  return exitCode === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 }
}

// A stage that broke before or beside its tests (a build error, a crash, a leak) is a failure of its own.
function withBreakage(exitCode, { passed, failed }) {
  return { passed, failed: exitCode !== 0 && failed === 0 ? 1 : failed }
}

function nativeTests(exitCode, summary) {
  return summary ? withBreakage(exitCode, summary) : { passed: 0, failed: 1 }
}

function vitestStage(title, command) {
  const report = join(scratch, `${title}.json`)
  return {
    title,
    command: [...command, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
    count: (exitCode) => vitestTests(exitCode, report),
  }
}

function vitestTests(exitCode, report) {
  if (!existsSync(report)) return { passed: 0, failed: 1 }
  const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, 'utf8'))
  return withBreakage(exitCode, { passed: numPassedTests, failed: numFailedTests })
}

/** Streams the stage's output, except the summary line of a native test binary, which only the last line may look like. */
function run({ command: [file, ...args], count = wholeStage }) {
  return new Promise((resolve) => {
    let summary
    const child = spawn(file, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] })
    createInterface({ input: child.stdout }).on('line', (line) => {
      const match = /^(\d+) passed, (\d+) failed$/.exec(line)
      if (match) summary = { passed: Number(match[1]), failed: Number(match[2]) }
      else console.log(line)
    })
    child.on('error', (error) => console.error(error.message))
    child.on('close', (exitCode) => resolve(count(exitCode, summary)))
  })
}

const total = { passed: 0, failed: 0 }
const failures = []
for (const stage of stages) {
  console.log(`\n== ${stage.title}`)
  const start = performance.now()
  const { passed, failed } = await run(stage)
  console.log(
    `== ${stage.title}: ${passed} passed, ${failed} failed in ${((performance.now() - start) / 1000).toFixed(1)} s`,
  )
  total.passed += passed
  total.failed += failed
  if (failed > 0) failures.push(stage.title)
}
rmSync(scratch, { recursive: true, force: true })

if (failures.length > 0) console.log(`\nfailed: ${failures.join('; ')}`)
console.log(`\n${total.passed} passed, ${total.failed} failed`)
process.exitCode = total.failed > 0 ? 1 : 0
