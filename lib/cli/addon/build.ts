/** Compiles the addon from the sources of the package, for machines without a prebuilt one. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { builtFile } from '../../backend/addon-search.ts'
import { packageRoot } from '../../base/package-root.ts'
import { CompileError, compileAddon, headersIn } from './compile.ts'
import { compilerInstall, findCompiler } from './compiler.ts'

export interface BuildOptions {
  /** A file that takes the place of the one in the package. */
  readonly out?: string
  readonly jobs?: number
}

/** What keeps a build from its end; the message says what can be done. */
export class BuildError extends Error {
  override name = 'BuildError'
}

/** The folder with everything that is compiled. */
function sources(): string {
  const root = packageRoot()
  if (root === undefined)
    throw new BuildError('galvani was bundled into another file: run npx galvani build where the package is installed')
  for (const path of ['native/sources.txt', ...headersIn(root)])
    if (!existsSync(join(root, path)))
      throw new BuildError(`${join(root, path)} is not there: install the package anew, or npm ci in a checkout`)
  return root
}

function compilerHere() {
  if (process.platform === 'win32')
    throw new BuildError(
      'expected Linux or macOS, got Windows, which has a prebuilt addon for x64 and no build of its own',
    )
  const compiler = findCompiler()
  if (compiler !== undefined) return compiler
  const searched = process.env.CXX ? `CXX, ${process.env.CXX}, does not run` : 'none of c++, g++ and clang++ is there'
  throw new BuildError(`no C++ compiler: ${searched}; ${compilerInstall()}`)
}

const writing = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST'])

/** A folder that may not be written is one of the system's, or of an image. */
function explained(error: unknown, output: string): unknown {
  if (error instanceof CompileError) return new BuildError(error.message)
  if (!(error instanceof Error && 'code' in error && writing.has(String(error.code)))) return error
  return new BuildError(
    `${dirname(output)} may not be written (${error.code}): galvani build --out FILE.node, and GALVANI_ADDON=FILE.node where it runs`,
  )
}

/** Compiles, and then asks the addon in a process of its own, which a wrong one would end. Gives the exit code. */
export async function build({ out, jobs = availableParallelism() }: BuildOptions): Promise<number> {
  const root = sources()
  const { command, version } = compilerHere()
  const output = resolve(out ?? builtFile(root))
  if (!output.endsWith('.node')) throw new BuildError(`--out: expected a file that ends in .node, got ${out}`)
  const start = performance.now()
  const log = (text: string) => console.log(`${((performance.now() - start) / 1000).toFixed(1).padStart(6)} s  ${text}`)
  log(`${command.join(' ')} (${version}), ${jobs} at a time`)
  try {
    await compileAddon({
      ...{ root, compiler: command, platform: process.platform, output, jobs },
      onCompiled: (source, done, total) => log(`${done} of ${total}: ${source}`),
    })
  } catch (error) {
    throw explained(error, output)
  }
  log(output)
  return examine(output)
}

/** What `galvani doctor` says of the addon. */
function examine(addon: string): number {
  const env = { ...process.env, GALVANI_ADDON: addon }
  const { status } = spawnSync(process.execPath, [...process.execArgv, process.argv[1]!, 'doctor'], {
    env,
    stdio: 'inherit',
  })
  return status ?? 1
}
