/** The stages of `npm test`, and those of `npm run test:long`. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { countNativeTests, countVitestTests } from './counts.ts'
import { groups } from './install-matrix/groups.ts'
import { toolbox } from './install-matrix/toolbox.ts'
import { runs } from './prebuilt/runs.ts'
import type { Stage } from './runner.ts'
import { addressSanitizer, program, simde, threadSanitizer } from './tools.ts'

const cmake = program('cmake')

const root = fileURLToPath(new URL('../..', import.meta.url))
const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

type Details = Omit<Stage, 'title' | 'command'>
type Command = Stage['command']

const stage = (title: string, command: Command, details: Details = {}): Stage => ({ title, command, ...details })
const native = (...args: string[]): Command => ['tsx', 'tools/native.ts', ...args]
const npm = (script: string, ...args: string[]): Command => ['npm', 'run', '--silent', script, '--', ...args]

/** A run of vitest, whose report goes to a file of its own. */
function vitestStage(title: string, scratch: string, command: Command, details: Details = {}): Stage {
  const report = join(scratch, `${title}.json`)
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  return stage(title, [...command, ...reporters], { ...details, count: countVitestTests(report) })
}

/** The native tests on a target of tools/native.ts, then the recorded cases. */
function nativeStages(title: string, target: string, { after = [], needs = [] }: Details = {}): Stage[] {
  const tests = `native tests, ${title}`
  return [
    stage(tests, native('test', target), { after, needs: [cmake, ...needs], count: countNativeTests }),
    stage(`cases, ${title}`, native('replay', target), { after: [tests, 'recorded cases'] }),
  ]
}

const addon = stage('addon', ['node-gyp', 'configure', 'build', '--jobs', 'max', '--loglevel', 'warn'])
const dist = stage('dist', ['tsdown'])
const recordedCases = stage('recorded cases', native('record'), { after: ['addon'] })

/** Every instruction set that this machine has. */
const nativeTests = stage('native tests', native('test', 'installed'), {
  after: ['addon'],
  needs: [cmake],
  count: countNativeTests,
})

const sanitizedStages = (scratch: string): Stage[] => [
  ...nativeStages('ASan and UBSan', 'asan', { needs: [addressSanitizer] }),
  ...nativeStages('TSan', 'tsan', { needs: [threadSanitizer, program('setarch')] }),
  vitestStage('binding, ASan and UBSan', scratch, npm('native:binding'), {
    after: ['addon', 'native tests, ASan and UBSan'],
  }),
]

/** Node on an emulated machine, where the package is to choose these kernels. */
const addonStage = (title: string, target: string, isa: string): Stage => {
  const code = `import * as g from '${name}'; if (g.backendInfo().isa !== '${isa}') process.exit(1)`
  const needs = [program('qemu-x86_64-static')]
  return stage(title, native('node', target, '--input-type=module', '-e', code), { after: ['addon', 'dist'], needs })
}

const arm64Tools = [program('aarch64-linux-gnu-g++'), program('qemu-aarch64-static')]

/** Machines other than this one: arm64, and x86 with AVX-512, without it, or without any AVX. */
function emulatedStages(): Stage[] {
  if (process.platform !== 'linux' || process.arch !== 'x64') return []
  const hasAvx512 = readFileSync('/proc/cpuinfo', 'utf8').includes('avx512f')
  // Their kernels ran in the native tests here, where the machine has them: what emulation shows is that nothing wider runs.
  const older = { after: ['native tests', 'recorded cases'], needs: [cmake, program('qemu-x86_64-static')] }
  return [
    ...nativeStages('arm64', 'arm64', { needs: arm64Tools }),
    stage('cases, Haswell', native('replay', 'haswell'), older),
    stage('cases, Nehalem', native('replay', 'nehalem'), older),
    addonStage('addon, Haswell', 'haswell', 'avx2'),
    addonStage('addon, Nehalem', 'nehalem', 'baseline'),
    ...(hasAvx512 ? [] : nativeStages('AVX-512', 'avx512', { after: ['addon'], needs: [simde] })),
    stage('wide instructions', native('disassemble'), { after: ['addon'], needs: [program('objdump')] }),
  ]
}

function packageStages(scratch: string): Stage[] {
  const tarball = join(scratch, `${name}-${version}.tgz`)
  const use = 'if (g.tensor([1, 2]).add(1).dataSync()[1] !== 3) process.exit(1)'
  const after = ['addon', 'dist']
  return [
    stage('import', ['node', '--input-type=module', '-e', `import * as g from '${name}'; ${use}`], { after }),
    stage('require', ['node', '-e', `const g = require('${name}'); ${use}`], { after }),
    stage('pack', ['tsx', 'tools/testing/pack.ts', scratch], { after: ['addon'] }),
    stage('install', npm('test:install', tarball), { after: ['pack'] }),
    stage('publint', ['publint', 'run', '--strict', tarball], { after: ['pack'] }),
    stage('attw', ['attw', tarball], { after: ['pack'] }),
  ]
}

/** In the order in which they begin; `scratch` is a folder for what they leave. */
export const shortStages = (scratch: string): Stage[] => [
  addon,
  dist,
  stage('lint', ['node', 'tools/lint.mjs', '--typescript']),
  stage('lint, C++', ['node', 'tools/lint.mjs', '--native'], { needs: [program('clang-format')] }),
  stage('types', ['tsc']),
  stage('types, page', ['tsc', '-p', 'lib/board/page']),
  stage('types, page of the example', ['tsc', '-p', 'examples/service/page']),
  recordedCases,
  nativeTests,
  ...sanitizedStages(scratch),
  ...emulatedStages(),
  ...packageStages(scratch),
  vitestStage('vitest', scratch, ['vitest', 'run', '--project', '!staged'], {
    after: ['addon', 'dist'],
  }),
  vitestStage('vitest, by the clock', scratch, ['vitest', 'run', '.clock.test.ts'], { after: ['addon'], alone: true }),
]

/** The prebuilt addons: what their files say, and those that this machine can run in runtimes for their systems. */
function prebuiltStages(scratch: string): Stage[] {
  const after = ['prebuilt addons']
  return [
    stage('prebuilt addons', npm('prebuild')),
    vitestStage('prebuilt addons, inspected', scratch, ['vitest', 'run', '.prebuilt.test.ts'], { after }),
    ...runs.map(({ target, title, needs }) =>
      stage(`prebuilt addon ${target}, ${title}`, ['tsx', 'tools/testing/prebuilt/index.ts', target], { after, needs }),
    ),
  ]
}

/** The package, installed in every way. It is to be there at once, which the clock tells. */
const installStages = (): Stage[] => [
  stage('package', npm('package'), { after: ['prebuilt addons'] }),
  ...Object.keys(groups).map((group) =>
    stage(`installed: ${group}`, npm('install-matrix', `^${group}:`), {
      ...{ after: ['package'], needs: [toolbox], alone: true, count: countNativeTests },
    }),
  ),
]

/** The test files with properties, which hold under any seed. */
const propertyTests = (): string[] =>
  readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .map((file) => join('test', file))
    .filter((file) => file.endsWith('.test.ts') && readFileSync(join(root, file), 'utf8').includes('fc.assert('))

/**
 * Of `minutes` each: properties, the fuzz suites and the native fuzz tests under other seeds, the accuracy over the more floats the longer
 * it may take, memory over the more steps, and a service under load. Then what emulation makes slow, once, and the prebuilt addons.
 */
export function longStages(scratch: string, minutes: number): Stage[] {
  const repeat = (...command: Command): Command => ['tsx', 'tools/testing/repeat.ts', String(minutes), ...command]
  // All floats take half an hour of two processors, 10,000 steps some seconds.
  const stride = String(Math.max(1, Math.round(30 / minutes)))
  const after = ['addon']
  return [
    addon,
    dist,
    stage('properties under other seeds', repeat('vitest', 'run', ...propertyTests()), { after }),
    stage('fuzz under other seeds, ASan and UBSan', repeat(...native('test', 'asan', 'fuzz')), {
      needs: [cmake, addressSanitizer],
    }),
    stage('fuzz', npm('fuzz', '--minutes', String(minutes)), { after }),
    stage('mutated programs, ASan and UBSan', npm('native:fuzz', '--minutes', String(minutes)), {
      after: ['addon', 'fuzz under other seeds, ASan and UBSan'],
      needs: [cmake, addressSanitizer],
    }),
    stage('native tests, Haswell', native('test', 'haswell'), {
      after,
      needs: [cmake, program('qemu-x86_64-static')],
      count: countNativeTests,
    }),
    stage('errors of pairs, arm64', ['env', 'GALVANI_TEST_QUICK=0', ...native('test', 'arm64', 'errors_of_pairs')], {
      needs: [cmake, ...arm64Tools],
      count: countNativeTests,
    }),
    stage('galvani build', ['node', 'dist/cli.cjs', 'build', '--out', join(scratch, 'galvani.node')], {
      after: ['dist'],
    }),
    stage(`accuracy, every ${stride}th float`, native('accuracy', '--stride', stride, '--pairs', '100000000'), {
      needs: [cmake],
    }),
    vitestStage('parity, Nehalem', scratch, npm('native:nehalem'), { after, needs: [program('qemu-x86_64-static')] }),
    vitestStage('killed trainings', scratch, ['env', 'GALVANI_TEST_KILLS=200', 'vitest', 'run', 'killed.test.ts'], {
      after,
    }),
    vitestStage('damaged files', scratch, ['env', 'GALVANI_TEST_FILES=100000', 'vitest', 'run', 'test/fuzz/files'], {
      after,
    }),
    vitestStage('exported rows', scratch, ['env', 'GALVANI_TEST_ONNX=all', 'vitest', 'run', 'export-cases.test.ts'], {
      after,
    }),
    vitestStage('memory', scratch, ['vitest', 'run', 'steady-memory.test.ts'], { after }),
    vitestStage('serving', scratch, ['vitest', 'run', 'serve/soak.test.ts'], { after }),
    ...prebuiltStages(scratch),
    ...installStages(),
  ]
}
