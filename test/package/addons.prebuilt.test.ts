/** What prebuilt addons ask of the systems that load them, as their files say: those that `npm run prebuild` has left here. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { nodeApiFunctions } from '../../tools/node-api.ts'
import { addonOf, type Target, targets } from '../../tools/package/targets.ts'
import type { Elf } from '../support/binaries/elf.ts'
import { type Library, readLibrary } from '../support/binaries/library.ts'
import type { MachO } from '../support/binaries/mach-o.ts'
import type { Pe } from '../support/binaries/pe.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const read = (path: string) => readFileSync(`${root}/${path}`)

/** The entry points, as native/exports.map names them for Linux. */
const entryPoints = read('native/exports.map')
  .toString('utf8')
  .match(/\w+(?=;\n)/g)!
const nodeApi = new Set(nodeApiFunctions)

/** The libraries that are glibc, whose parts these were until 2.34. */
const glibc = /^(lib(c|m|pthread|dl|rt)\.so\.\d|ld-linux-(x86-64|aarch64)\.so\.\d)$/

/**
 * What zig's linker and C++ library for a system export of every library. There a name is looked up in the library that it was
 * linked with, so that these are in nobody's way.
 */
const byproducts: Partial<Record<NodeJS.Platform, RegExp>> = {
  win32: /^(_Unwind_|_*unw_|_GCC_specific_handler$)/,
  // new and delete, too, of which macOS has a whole process use those that it found first.
  darwin: /^(_mh_dylib_header|__dso_handle|_Z(n[aw]|d[al])\w+)$/,
}

/** The later of two versions such as GLIBC_2.17. */
function later(a: string, b: string): string {
  const [x, y] = [a, b].map((version) => Number(/^GLIBC_2\.(\d+)/.exec(version)?.[1])) as [number, number]
  return x >= y ? a : b
}

function expectLinux(library: Elf, isMusl: boolean): void {
  expect(library.hasExecutableStack).toBe(false)
  expect(library.staysLoaded).toBe(true)
  if (isMusl) {
    expect(library.needs).toEqual(['libc.so'])
    expect(library.versions).toEqual([])
  } else {
    expect(library.needs.filter((name) => !glibc.test(name))).toEqual([])
    expect(Number(library.versions.reduce(later).slice('GLIBC_2.'.length))).toBeLessThanOrEqual(28)
  }
}

/** Of every Windows since 10; the C library is a part of it, by these names. */
function expectWindows(library: Pe): void {
  expect(library.needs.filter((name) => !/^(kernel32|api-ms-win-crt-\w+-l1-1-0)\.dll$/i.test(name))).toEqual([])
  expect(library.imports.filter((name) => nodeApi.has(name))).toEqual([])
  expect(library.isHardened).toBe(true)
}

/** macOS wants a signature on arm64 alone, and zig makes none on x64. */
function expectMacOs(library: MachO): void {
  expect(library.oldestSystem).toBe('11.0')
  expect(library.needs).toEqual(['/usr/lib/libSystem.B.dylib'])
  expect(library.searchPaths).toEqual([])
  expect(library.signature).toBe(library.arch === 'arm64' ? 'valid' : 'none')
}

function expectFor({ arch, platform, name }: Target, library: Library): void {
  expect(library.arch).toBe(arch)
  const exports = library.exports.filter((name) => !byproducts[platform]?.test(name))
  expect([...exports].sort()).toEqual([...entryPoints].sort())
  expect(library.format).toBe({ linux: 'ELF', win32: 'PE', darwin: 'Mach-O' }[platform as string])
  if (library.format === 'ELF') expectLinux(library, name.endsWith('-musl'))
  else if (library.format === 'PE') expectWindows(library)
  else expectMacOs(library)
}

describe('prebuilt addon', () => {
  for (const target of targets) {
    const isHere = existsSync(`${root}/${addonOf(target)}`)
    const install = `npm run prebuild -- ${target.name}`
    test.skipIf(!isHere)(target.name, { meta: { install } }, () => {
      expectFor(target, readLibrary(read(addonOf(target))))
    })
  }
})
