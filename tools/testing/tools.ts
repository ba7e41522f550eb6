/** What stages need beside Node, its packages, a C++ compiler and Python, and how Debian brings it. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { Tool } from './runner.ts'

/** The Debian packages of programs. */
export const packages: Readonly<Record<string, string>> = {
  cmake: 'cmake',
  setarch: 'util-linux',
  objdump: 'binutils',
  'clang-format': 'clang-format',
  'aarch64-linux-gnu-g++': 'g++-aarch64-linux-gnu',
  'qemu-aarch64-static': 'qemu-user-static',
  'qemu-x86_64-static': 'qemu-user-static',
  wine: 'wine',
}

const isOnPath = (name: string): boolean =>
  (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, name)))

export const program = (name: string): Tool => ({ package: packages[name]!, isHere: () => isOnPath(name) })

/** What the C++ compiler needs in order to make something of an empty program with these options. */
const compiles = (packageName: string, ...options: string[]): Tool => ({
  package: packageName,
  isHere: () => spawnSync('c++', ['-x', 'c++', '-', ...options], { input: 'int main() {}' }).status === 0,
})

export const simde = compiles('libsimde-dev', '-fsyntax-only', '-include', 'simde/x86/avx512.h')
export const addressSanitizer = compiles('libasan8', '-fsanitize=address,undefined', '-o', '/dev/null')
export const threadSanitizer = compiles('libtsan2', '-fsanitize=thread', '-o', '/dev/null')
