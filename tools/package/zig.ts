/** The compiler of the prebuilt addons: zig 0.14, which is clang 19 with the headers and libraries of every target. */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Zig {
  readonly command: string
  readonly version: string
}

/** Another one could make other code, or link against other versions of symbols. */
const wanted = /^0\.14\./

function versionOf(command: string): string | undefined {
  const { status, stdout } = spawnSync(command, ['version'], { encoding: 'utf8' })
  return status === 0 ? stdout.trim() : undefined
}

function named(command: string): Zig {
  const version = versionOf(command)
  if (version === undefined || !wanted.test(version))
    throw new Error(`prebuild: expected zig 0.14 in GALVANI_ZIG, got ${command} (${version ?? 'does not run'})`)
  return { command, version }
}

const toolchain = fileURLToPath(new URL('../../build/toolchain', import.meta.url))
const installed = join(toolchain, 'node_modules', '@ryoppippi', 'zig-linux-x64', 'zig')

/** npm compares the package with the hash in the lock file, and runs none of its scripts. */
function install(): void {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Error(`prebuild: expected zig 0.14 on PATH or in GALVANI_ZIG, got none (https://ziglang.org/download)`)
  console.log('prebuild: no zig 0.14 on PATH or in GALVANI_ZIG: npm installs one into build/toolchain (350 MB)')
  cpSync(fileURLToPath(new URL('toolchain', import.meta.url)), toolchain, { recursive: true })
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel', 'error']
  const { status } = spawnSync('npm', args, { cwd: toolchain, stdio: ['ignore', 'inherit', 'inherit'] })
  if (status !== 0) throw new Error('prebuild: npm could not install zig: set GALVANI_ZIG to one (zig 0.14)')
}

/** The one of GALVANI_ZIG, on PATH or in build/toolchain, where it is installed if need be. */
export function findZig(): Zig {
  if (process.env.GALVANI_ZIG) return named(process.env.GALVANI_ZIG)
  const version = versionOf('zig')
  if (version !== undefined && wanted.test(version)) return { command: 'zig', version }
  if (!existsSync(installed)) install()
  return named(installed)
}
