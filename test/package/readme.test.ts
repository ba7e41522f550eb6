/** Every snippet of the documents runs, and every command it names exists. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { isStale } from '../../tools/stale.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const documents = [
  'README.md',
  'ARCHITECTURE.md',
  'CHANGELOG.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
].map((name) => ({ name, text: readFileSync(join(root, name), 'utf8') }))

const blocks = (text: string, language: string): string[] =>
  [...text.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map((match) => match[1]!)

const snippets = documents.flatMap(({ name, text }) =>
  blocks(text, 'ts').map((code, i) => ({ title: `${name} ${i + 1}`, code })),
)

/** As users load it, which takes a quarter of the time; a build that is behind is no use, and the paths of tsconfig.json lead to lib. */
const isBuilt = !isStale(root, 'dist', ['lib'])

test('there are snippets to run', () => expect(snippets.length).toBeGreaterThanOrEqual(3))

test.each(snippets)('snippet $title runs', { timeout: 120_000 }, ({ code }) => {
  const folder = mkdtempSync(join(root, 'test', '.snippet-'))
  try {
    const file = join(folder, 'snippet.ts')
    writeFileSync(file, code)
    // Without paths a name is that of the package, in which the folder is.
    if (isBuilt) writeFileSync(join(folder, 'tsconfig.json'), '{}')
    const output = execFileSync(process.execPath, ['--import', '../support/typescript.mjs', file], {
      // What it writes goes with it.
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    expect(output).not.toBe('')
    expect(output).not.toMatch(/undefined|NaN/)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

const packageJson = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
/** Blocks and words of code. */
const codeIn = (text: string): string[] => text.match(/```[\s\S]*?```|`[^`\n]+`/g) ?? []
const commands = documents.flatMap(({ text }) =>
  codeIn(text).flatMap((code) => [...code.matchAll(/\bnpm (?:run )?([a-z][a-z0-9:-]*)/g)].map((match) => match[1]!)),
)

/** What npm can do by itself. */
const ofNpm = ['ci', 'install', 'pack', 'publish', 'sbom']

test.each([...new Set(commands)].filter((name) => !ofNpm.includes(name)))('npm %s exists', (name) => {
  expect(packageJson.scripts).toHaveProperty([name])
})

const galvaniCommands = documents.flatMap(({ text }) =>
  [...text.matchAll(/npx galvani ([a-z]+)/g)].map((match) => match[1]!),
)

test.each([...new Set(galvaniCommands)])('npx galvani %s exists', (name) => {
  const help = execFileSync(process.execPath, [join(root, packageJson.bin.galvani), '--help'], { encoding: 'utf8' })
  expect(help).toMatch(new RegExp(`^  ${name} `, 'm'))
})

const links = documents.flatMap(({ name, text }) =>
  [...text.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, path]) => ({ name, path: path! })),
)

test('files that documents lead to are there', () => {
  expect(links.length).toBeGreaterThan(20)
  expect(links.filter(({ name, path }) => !existsSync(join(root, dirname(name), path)))).toEqual([])
})

test('the 25 lines are 25 lines', () => {
  const [training] = blocks(documents[0]!.text, 'ts')
  expect(
    training!
      .trim()
      .split('\n')
      .filter((line) => line.trim() !== '').length,
  ).toBeLessThanOrEqual(26)
})

test('names of tables of migration exist', () => {
  const rows = documents.flatMap(({ name, text }) =>
    name.startsWith('docs/migrating-') ? text.split('\n').filter((line) => line.startsWith('|')) : [],
  )
  // The second column is what is here.
  const codes = rows.flatMap((row) => [...(row.split(' | ')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, code]) => code!))
  const names = codes.flatMap((code) => [...code.matchAll(/\bg((?:\.\w+)+)/g)].map(([, path]) => path!.slice(1)))
  const isThere = (path: string) =>
    path.split('.').reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], g)
  expect(names.length).toBeGreaterThan(100)
  expect(names.filter((path) => isThere(path) === undefined)).toEqual([])
  const things = { x: g.Tensor.prototype, model: g.nn.Module.prototype, d: g.data.Dataset.prototype }
  for (const [thing, prototype] of Object.entries(things)) {
    const members = codes.flatMap((code) =>
      [...code.matchAll(new RegExp(`(?<![\\w.])${thing}\\.(\\w+)`, 'g'))].map(([, member]) => member!),
    )
    expect(members.length, thing).toBeGreaterThan(2)
    expect(
      members.filter((member) => !(member in prototype)),
      thing,
    ).toEqual([])
  }
})
