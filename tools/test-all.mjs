// npm test: runs every stage, two at a time where there are processors, prints the output of each when it is done, and ends
// with one line: `N passed, N failed`. Each vitest test and each native test counts; any other stage counts as one, a replay of
// the parity cases too.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const scratch = mkdtempSync(join(tmpdir(), 'galvani-test-'))
const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const tarball = join(scratch, `${name}-${version}.tgz`)

const useDist = 'if (g.tensor([1, 2]).add(1).dataSync()[1] !== 3) process.exit(1)'

const useAvx2 = `import * as g from '${name}'; ${useDist}; if (g.backendInfo().isa !== 'avx2') process.exit(1)`

const native = (...args) => ['node', 'tools/native.mjs', ...args]
const built = ['addon', 'dist']

// In the order in which they begin, each once those that it needs are done. Some are alone: they look at the clock.
const stages = [
  { title: 'addon', command: ['node-gyp', 'configure', 'build', '--jobs', 'max', '--loglevel', 'warn'] },
  { title: 'dist', command: ['tsdown'] },
  { title: 'lint', command: ['node', 'tools/lint.mjs'] },
  { title: 'types', command: ['tsc'] },
  ...(process.platform === 'linux' && process.arch === 'x64' ? emulatedStages() : []),
  { title: 'native tests, ASan and UBSan', command: native('test', 'asan'), count: nativeTests },
  {
    ...{ title: 'cases, ASan and UBSan', command: native('replay', 'asan') },
    needs: ['native tests, ASan and UBSan'],
  },
  { title: 'native tests, TSan', command: native('test', 'tsan'), count: nativeTests },
  { title: 'cases, TSan', command: native('replay', 'tsan'), needs: ['native tests, TSan'] },
  {
    ...vitestStage('binding, ASan and UBSan', ['npm', 'run', '--silent', 'native:binding', '--']),
    needs: ['native tests, ASan and UBSan'],
  },
  {
    ...{ title: 'import', command: ['node', '--input-type=module', '-e', `import * as g from '${name}'; ${useDist}`] },
    needs: built,
  },
  { title: 'require', command: ['node', '-e', `const g = require('${name}'); ${useDist}`], needs: built },
  {
    ...{ title: 'pack', command: ['npm', 'pack', '--ignore-scripts', '--silent', '--pack-destination', scratch] },
    needs: built,
  },
  { title: 'publint', command: ['publint', 'run', '--strict', tarball], needs: ['pack'] },
  { title: 'attw', command: ['attw', '--no-definitely-typed', tarball], needs: ['pack'] },
  { ...vitestStage('vitest', ['vitest', 'run']), needs: built, alone: true },
]

function hasAvx512() {
  return readFileSync('/proc/cpuinfo', 'utf8').includes('avx512f')
}

// Machines other than this one: arm64, and x86 with AVX-512, without it, or without any AVX.
function emulatedStages() {
  return [
    {
      ...vitestStage('parity, Nehalem', ['npm', 'run', '--silent', 'native:nehalem', '--', '-t', '^(?!fusion)']),
      needs: built,
    },
    { title: 'wide instructions', command: native('disassemble'), needs: built },
    ...(hasAvx512() ? [] : [{ title: 'native tests, AVX-512', command: native('test', 'avx512'), count: nativeTests }]),
    { title: 'native tests, arm64', command: native('test', 'arm64'), count: nativeTests },
    { title: 'cases, arm64', command: native('replay', 'arm64'), needs: ['native tests, arm64'] },
    // qemu 7.2 crashes in vitest as a Haswell, though not in Node: so the recorded programs run without it.
    { title: 'native tests, Haswell', command: native('test', 'haswell'), count: nativeTests },
    { title: 'cases, Haswell', command: native('replay', 'haswell'), needs: ['native tests, Haswell'] },
    {
      ...{ title: 'addon, Haswell', command: native('node', 'haswell', '--input-type=module', '-e', useAvx2) },
      needs: built,
    },
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

/** Runs a stage; its output, less the summary line of a native test binary, which only the last line may look like. */
function run({ command: [file, ...args], count = wholeStage }) {
  return new Promise((resolve) => {
    let output = ''
    const child = spawn(file, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text
      })
    }
    child.on('error', (error) => {
      output += `${error.message}\n`
    })
    child.on('close', (exitCode) => {
      const match = /^(\d+) passed, (\d+) failed\n/m.exec(output)
      const summary = match && { passed: Number(match[1]), failed: Number(match[2]) }
      resolve({ ...count(exitCode, summary), output: match ? output.replace(match[0], '') : output })
    })
  })
}

const total = { passed: 0, failed: 0 }
const failures = []

async function runAndReport(stage) {
  const start = performance.now()
  const { passed, failed, output } = await run(stage)
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  console.log(`\n== ${stage.title}\n${output}== ${stage.title}: ${passed} passed, ${failed} failed in ${seconds} s`)
  total.passed += passed
  total.failed += failed
  if (failed > 0) failures.push(stage.title)
}

async function runAll(lanes) {
  const waiting = [...stages]
  const running = new Map()
  const done = new Set()
  const isReady = ({ needs = [], alone = false }) =>
    needs.every((title) => done.has(title)) && (!alone || running.size === 0)
  while (waiting.length > 0 || running.size > 0) {
    const index = running.size < lanes ? waiting.findIndex(isReady) : -1
    if (index < 0) {
      await Promise.race(running.values())
      continue
    }
    const [stage] = waiting.splice(index, 1)
    const end = runAndReport(stage).then(() => {
      running.delete(stage.title)
      done.add(stage.title)
    })
    running.set(stage.title, end)
    if (stage.alone) await end
  }
}

await runAll(Math.min(2, availableParallelism()))
rmSync(scratch, { recursive: true, force: true })

if (failures.length > 0) console.log(`\nfailed: ${failures.join('; ')}`)
console.log(`\n${total.passed} passed, ${total.failed} failed`)
process.exitCode = total.failed > 0 ? 1 : 0
