/** Licences of others' code that the package holds: of what the JavaScript bundles, of headers, and of what is linked into the prebuilt addons. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Part {
  readonly name: string
  readonly version: string
  /** An SPDX expression. */
  readonly licence: string
}

export interface Notice extends Part {
  readonly text: string
}

const rule = `\n${'─'.repeat(80)}\n\n`
const heading = /^(\S+) (\S+) \((.+)\)$/

/** One file of all notices, in which `partsIn` finds them. */
export const textOf = (notices: readonly Notice[]): string =>
  notices.map(({ name, version, licence, text }) => `${name} ${version} (${licence})\n\n${text.trim()}\n`).join(rule)

/** What a file that `textOf` wrote is of. */
export const partsIn = (file: string): Part[] =>
  file.split(rule).map((notice) => {
    const [, name, version, licence] = heading.exec(notice.slice(0, notice.indexOf('\n'))) ?? []
    if (!name || !version || !licence) throw new Error(`notices: expected NAME VERSION (LICENCE), got ${notice}`)
    return { name, version, licence }
  })

const licenceFile = (name: string) =>
  readFileSync(fileURLToPath(new URL(`licences/${name}.txt`, import.meta.url)), 'utf8')

/** Packages that name their licences and do not come with the texts, which are among ours. */
const withoutFile: Readonly<Record<string, string>> = { '@bufbuild/protobuf': 'bufbuild-protobuf' }

/** The notice of a package of npm, by its folder. */
export function noticeIn(folder: string): Notice {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const file = readdirSync(folder).find((file) => /^licen[cs]e/i.test(file))
  const kept = withoutFile[name]
  if (file === undefined && kept !== undefined) return { name, version, licence: license, text: licenceFile(kept) }
  if (file === undefined) throw new Error(`notices: expected a licence in ${name}, got none`)
  return { name, version, licence: license, text: readFileSync(join(folder, file), 'utf8') }
}

const llvm = { version: '19.1', licence: 'Apache-2.0 WITH LLVM-exception' }

/**
 * What the compiler of the prebuilt addons links into them, as it comes with that compiler. Each addon has what its target needs:
 * those for Windows alone have mingw-w64's start, those for musl alone musl's.
 */
export const linkedIn = (): Notice[] => [
  { name: 'libc++', ...llvm, text: licenceFile('llvm') },
  { name: 'libc++abi', ...llvm, text: 'As libc++.' },
  { name: 'libunwind', ...llvm, text: 'As libc++.' },
  { name: 'zig-compiler-rt', version: '0.14', licence: 'MIT', text: licenceFile('zig') },
  { name: 'mingw-w64', version: '12.0', licence: 'ZPL-2.1', text: licenceFile('mingw-w64') },
  { name: 'musl', version: '1.2.5', licence: 'MIT', text: licenceFile('musl') },
]
