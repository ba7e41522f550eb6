/** Compiles the addon from the sources in a folder of the package, by whichever compiler: nothing but it is needed. */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

/** A file that did not compile, or an addon that did not link; the message has what the compiler said. */
export class CompileError extends Error {
  override name = 'CompileError'
}

export interface Compilation {
  /** The folder of the package or checkout: it has `native`, and is where the compiler runs. */
  readonly root: string
  /** The compiler, with the arguments that each of its calls begins with: `['zig', 'c++', '-target', …]`. */
  readonly compiler: readonly [command: string, ...args: string[]]
  /** What the addon is to run on, as `process.platform` names it. */
  readonly platform: NodeJS.Platform
  /** The file that is made, or replaced at once when all is done. */
  readonly output: string
  /** How many files are compiled at a time. */
  readonly jobs: number
  /** What the linker is given beside the flags of the platform. */
  readonly link?: readonly string[]
  /** Told of each file that was compiled. */
  readonly onCompiled?: (source: string, done: number, total: number) => void
}

/** The lines of native/flags/NAME.txt that are flags. */
const flagsIn = (root: string, name: string): readonly string[] =>
  readFileSync(join(root, 'native', 'flags', `${name}.txt`), 'utf8').match(/^-.*$/gm) ?? []

/** The kernels first, as they take the longest. */
function sourcesIn(root: string): string[] {
  const core = readFileSync(join(root, 'native', 'sources.txt'), 'utf8')
    .trim()
    .split(/\r?\n/)
  const binding = readdirSync(join(root, 'native', 'binding')).filter((name) => name.endsWith('.cc'))
  const isKernel = (source: string) => source.startsWith('native/kernels/')
  const sources = [...core, ...binding.map((name) => `native/binding/${name}`)]
  return [...sources.filter(isKernel), ...sources.filter((source) => !isKernel(source))]
}

/** The folders of headers of others: the package has copies, as it depends on nothing; a checkout has those of npm. */
export function headersIn(root: string): string[] {
  const copies = join(root, 'native', 'headers')
  if (existsSync(copies)) return ['node-addon-api', 'node-api-headers'].map((name) => `native/headers/${name}`)
  return ['node_modules/node-addon-api', 'node_modules/node-api-headers/include']
}

interface Form {
  readonly compile: readonly string[]
  readonly link: readonly string[]
}

const unix: Form = { compile: ['-fPIC', '-pthread'], link: ['-shared', '-pthread'] }

/** Beside native/flags, what makes a library that a process loads. */
const forms: Partial<Record<NodeJS.Platform, Form>> = {
  darwin: {
    compile: ['-fPIC'],
    link: ['-dynamiclib', '-install_name', 'galvani.node', '-undefined', 'dynamic_lookup'],
  },
  win32: { compile: ['-DBUILDING_NODE_EXTENSION'], link: ['-shared'] },
}

/** @throws CompileError where something does not compile; what was at `output` is there as before then. */
export async function compileAddon(compilation: Compilation): Promise<void> {
  const { root, platform, link = [] } = compilation
  const output = resolve(compilation.output)
  mkdirSync(dirname(output), { recursive: true })
  const scratch = mkdtempSync(join(dirname(output), 'compiling-'))
  try {
    const objects = await compileAll(compilation, scratch)
    const linked = join(scratch, 'galvani.node')
    const flags = [...(forms[platform] ?? unix).link, ...flagsIn(root, `link-${platform}`), ...link]
    await run(compilation, 'the addon', [...objects, ...flags, '-o', linked])
    renameSync(linked, output)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** Gives the object files. The first failure ends the others. */
async function compileAll(compilation: Compilation, folder: string): Promise<string[]> {
  const { root, platform, jobs, onCompiled } = compilation
  const sources = sourcesIn(root)
  const include = ['native', ...headersIn(root)].map((path) => `-I${path}`)
  const flags = [...(forms[platform] ?? unix).compile, ...flagsIn(root, 'compile'), ...include]
  const objectOf = (source: string) => join(folder, `${source.replaceAll('/', '-')}.o`)
  const waiting = sources.values()
  const failed = new AbortController()
  let done = 0
  const work = async () => {
    for (const source of waiting) {
      await run(compilation, source, [...flags, '-c', source, '-o', objectOf(source)], failed.signal)
      onCompiled?.(source, ++done, sources.length)
    }
  }
  const workers = Array.from({ length: jobs }, work)
  await Promise.all(workers).catch(async (error) => {
    failed.abort()
    await Promise.allSettled(workers)
    throw error
  })
  return sources.map(objectOf)
}

/** One call of the compiler, which makes `what`. */
function run({ root, compiler: [command, ...first] }: Compilation, what: string, args: string[], signal?: AbortSignal) {
  return new Promise<void>((done, fail) => {
    let said = ''
    const child = spawn(command, [...first, ...args], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], signal })
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        said += text
      })
    child.on('error', ({ message }) => {
      said += message
    })
    child.on('close', (code, killedBy) => {
      if (code === 0) done()
      else fail(new CompileError(`${command}: ${what}: ${said.trim() || `ended with ${killedBy ?? code}`}`))
    })
  })
}
