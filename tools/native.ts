/**
 * Developer builds of the native core through CMake, run by npm scripts:
 *   native.ts test   TARGET [ARGUMENT...]    builds and runs the native tests
 *   native.ts record                         writes the programs of test/operations/cases.ts to a file
 *   native.ts replay TARGET                  runs the programs of that file in the native test binary
 *   native.ts bench  NAME [ARGUMENT...]      builds and runs native/bench/NAME.cc
 *   native.ts accuracy [ARGUMENT...]         measures the errors of the elementwise functions: all, into docs/accuracy.md
 *   native.ts node   TARGET [ARGUMENT...]    runs Node on the emulated machine
 *   native.ts vitest asan [ARGUMENT...]      runs vitest on the addon built so
 *   native.ts fuzz   [ARGUMENT...]           runs tools/fuzz.ts on the addon built with ASan and UBSan
 *   native.ts vitest nehalem|haswell [ARGUMENT...]  runs vitest in a Node on that CPU, on the addon of build/
 *   native.ts disassemble                    expects wide instructions only in the kernels for them, in build/
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { packages } from './testing/tools.ts'

type Environment = Record<string, string>

/** What can be built and run here: a CMake preset, and what its programs are run by. */
interface Target {
  readonly preset: string
  readonly runner?: readonly string[]
  readonly env?: Environment
}

const root = fileURLToPath(new URL('..', import.meta.url))
const jobs = String(availableParallelism())
const recordedCases = join(root, 'build-cmake', 'cases.replay')

// ThreadSanitizer's shadow memory needs a layout that address-space randomisation may not leave free.
const withoutRandomLayout = process.platform === 'linux' ? ['setarch', '-R'] : []
// The features of a Haswell that its emulation lacks, of which it would warn at each start of a thread.
const haswell = 'Haswell-noTSX,-pcid,-x2apic,-tsc-deadline,-invpcid'
const quick = { GALVANI_TEST_QUICK: process.env.GALVANI_TEST_QUICK ?? '1' }

const targets: Record<string, Target> = {
  release: { preset: 'release' },
  installed: { preset: 'installed' },
  asan: { preset: 'asan' },
  tsan: { preset: 'tsan', runner: withoutRandomLayout },
  avx512: { preset: 'avx512', env: quick },
  arm64: { preset: 'arm64', runner: ['qemu-aarch64-static'], env: quick },
  nehalem: {
    preset: 'installed',
    runner: ['qemu-x86_64-static', '-cpu', 'Nehalem'],
    env: { ...quick, GALVANI_TEST_ISAS: 'baseline' },
  },
  haswell: {
    preset: 'installed',
    runner: ['qemu-x86_64-static', '-cpu', haswell],
    env: { ...quick, GALVANI_TEST_ISAS: 'avx2,baseline' },
  },
}

// An allocation beyond memory returns null, as it does without a sanitizer. Node itself leaks at exit.
const sanitizerOptions = {
  ASAN_OPTIONS: 'allocator_may_return_null=1',
  TSAN_OPTIONS: 'allocator_may_return_null=1',
  UBSAN_OPTIONS: 'print_stacktrace=1',
}
const insideNode = { ASAN_OPTIONS: `${sanitizerOptions.ASAN_OPTIONS}:detect_leaks=0` }

function fail(message: string): never {
  console.error(`native: ${message}`)
  process.exit(1)
}

function run(command: string, args: readonly string[], environment: Environment = {}): void {
  const env = { ...process.env, ...sanitizerOptions, ...environment }
  const { status, signal, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit', env })
  if (error && 'code' in error && error.code === 'ENOENT') {
    const name = packages[command]
    fail(`${command} not found${name ? `: apt-get install ${name}` : ''}`)
  }
  if (signal) fail(`${command} died of ${signal}`)
  if (status !== 0) process.exit(status ?? 1)
}

function oneOf<T>(table: Record<string, T>, name = ''): T {
  if (!Object.hasOwn(table, name)) fail(`expected one of ${Object.keys(table).join(', ')}, got ${name}`)
  return table[name]!
}

function build(preset: string, target: string, ...options: string[]): string {
  run('cmake', ['--preset', preset, ...options])
  run('cmake', ['--build', '--preset', preset, '--target', target, '--parallel', jobs])
  return join(root, 'build-cmake', preset, target)
}

function test(name?: string, ...args: string[]): void {
  const { preset, runner = [], env } = oneOf(targets, name)
  const [command, ...rest] = [...runner, build(preset, 'galvani_native_test'), ...args]
  run(command!, rest, env)
}

function record(): void {
  mkdirSync(join(root, 'build-cmake'), { recursive: true })
  run('tsx', ['test/support/write-replay.ts', recordedCases])
}

const replay = (name?: string) => test(name, '--replay', recordedCases)

const bench = (name?: string, ...args: string[]) => run(build('release', `galvani_${name}`), args)

const accuracyHeader = `# Accuracy

The greatest errors of the elementwise functions in units of the last place: the distance from the exact value over the
distance of neighbouring floats there. Functions of one argument go through all 2³² floats, infinities, NaN and denormals
included; those of two through random pairs. The exact values are libm's in double, whose own error is beyond the 29th bit of a
float's last place. \`elu\` has the alpha 1.3. Made by \`npm run accuracy\`; the tests go through every 257th float.

`

/** Minutes of all processors: the table goes to the file as it is printed, a row at a time. */
function accuracy(...args: string[]): void {
  const binary = build('release', 'galvani_accuracy')
  const child = spawn(binary, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] })
  let table = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    process.stdout.write(text)
    table += text
  })
  child.on('close', (status) => {
    mkdirSync(join(root, 'docs'), { recursive: true })
    if (args.length === 0) writeFileSync(join(root, 'docs', 'accuracy.md'), accuracyHeader + table)
    if (status !== 0) fail('a function is less accurate than promised')
  })
}

/** Where node-gyp found Node's headers when it built the addon of build/. */
function nodeHeaders(): string {
  const config = readFileSync(join(root, 'build', 'config.gypi'), 'utf8')
  return join(JSON.parse(config.replace(/^#.*$/m, '')).variables.nodedir, 'include', 'node')
}

function vitest(name?: string, ...args: string[]): void {
  if (name === 'asan') runInstrumented('vitest', ['run', ...args])
  else if (name === 'nehalem' || name === 'haswell') vitestEmulated(targets[name]!, args)
  else fail(`expected one of asan, nehalem, haswell, got ${name}`)
}

/** Runs a command of Node's on the addon built with ASan and UBSan. */
function runInstrumented(command: string, args: readonly string[]): void {
  const addon = `${build('asan', 'galvani', `-DGALVANI_NODE_HEADERS=${nodeHeaders()}`)}.node`
  // Node is not instrumented, so that the sanitizer's runtime must be there before it.
  const runtime = execFileSync('c++', ['-print-file-name=libasan.so'], { encoding: 'utf8' }).trim()
  run(command, args, { ...insideNode, GALVANI_ADDON: addon, LD_PRELOAD: runtime })
}

const fuzz = (...args: string[]) => runInstrumented('tsx', ['tools/fuzz.ts', ...args])

// In threads, as processes that an emulated one starts are not emulated. All of them share the addon's settings.
function vitestEmulated({ runner = [], env }: Target, args: readonly string[]): void {
  const [command, ...options] = [...runner, process.execPath, join(root, 'node_modules/vitest/vitest.mjs')]
  run(command!, [...options, 'run', '--pool=threads', '--no-file-parallelism', ...args], env)
}

function node(name?: string, ...args: string[]): void {
  const { runner = [], env } = oneOf(targets, name)
  const [command, ...rest] = [...runner, process.execPath, ...args]
  run(command!, rest, env)
}

/** The functions of an object file that have VEX or EVEX instructions. */
function wideFunctions(file: string): string[] {
  const listing = execFileSync('objdump', ['-d', '--no-show-raw-insn', file], { encoding: 'utf8', maxBuffer: 2 ** 30 })
  const found = new Set<string>()
  let name = ''
  for (const line of listing.split('\n')) {
    const start = /^[0-9a-f]+ <(.*)>:$/.exec(line)
    if (start) name = start[1]!
    else if (/^ *[0-9a-f]+:\tv|%[yz]mm|%k[0-7]/.test(line)) found.add(name)
  }
  return [...found]
}

// The linker keeps one copy of an inline function: one from a target region would run on every machine.
function disassemble(): void {
  const folder = join(root, 'build/Release/obj.target/galvani')
  const objects = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.o'))
  const names = objects.flatMap((file) => wideFunctions(join(folder, file)))
  const outside = names.filter((name) => !/^_ZN?[A-Z]*7galvani(4avx2|6avx512)/.test(name))
  if (outside.length > 0) fail(`expected wide instructions in avx2:: and avx512:: only, got ${outside.join(', ')}`)
  for (const namespace of ['4avx2', '6avx512'])
    if (!names.some((name) => name.includes(namespace))) fail(`expected wide instructions in ${namespace}, got none`)
  console.log(`${objects.length} objects, ${names.length} functions with wide instructions, all in avx2:: and avx512::`)
}

const [action, ...rest] = process.argv.slice(2)
oneOf({ test, record, replay, bench, accuracy, vitest, fuzz, node, disassemble }, action)(...rest)
