/**
 * Writes docs/operations.md: every public operation with what its docstring says first, its names elsewhere, whether it
 * has a gradient and what it runs as. All of it is asked of the library: the docstrings and their tags of the TypeScript
 * compiler, gradients and instructions of the rows of test/operations/cases.
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import ts from 'typescript'
import { nodeOf } from '../lib/tensor/tensor.ts'
import '../lib/index.ts'
import { isFloat } from '../lib/base/dtype.ts'
import { GradientError } from '../lib/base/errors.ts'
import { gradients } from '../lib/graph/autograd.ts'
import { cases } from '../test/operations/cases.ts'
import { forwardPrograms, leavesOf, type OpCase, outputsOf } from '../test/support/cases.ts'

const lib = fileURLToPath(new URL('../lib/', import.meta.url))
const path = fileURLToPath(new URL('../docs/operations.md', import.meta.url))

/** What is an operation by where it stands under lib, and the title of its section. */
const sections: readonly (readonly [where: RegExp, title: string])[] = [
  [/^operations\/unique\.ts$/, 'Operations: values of a size that is not known before'],
  [/^operations\/(linalg|matrix-functions)\.ts$/, 'Linear algebra'],
  [/^operations\/fft\.ts$/, 'Fourier transforms'],
  [/^operations\/(?!gradient)(?<file>.*)\.ts$/, 'Operations: '],
  [/^losses\/(?<file>.*)\.ts$/, 'Losses: '],
  [/^tensor\/(random|distributions)\.ts$/, 'Random numbers'],
  [
    /^(operations\/gradient|transforms\/(gradients|derivatives|custom-gradient|checkpoint|check-gradients|detect-anomaly))\.ts$/,
    'Derivatives',
  ],
]

interface Operation {
  /** As users write it after `g.` */
  readonly name: string
  readonly summary: string
  readonly section: string
  readonly elsewhere: NamesElsewhere
  /** Other names that it has here. */
  readonly aliases: readonly string[]
}

/** What it is called there, '' where it has no name of its own. */
export interface NamesElsewhere {
  readonly pytorch: string
  readonly tensorflow: string
  readonly numpy: string
}

/**
 * The names that an operation's docstring gives by `@pytorch torch.add`, `@tensorflow tf.add` and `@numpy np.add`. What has
 * none in the first two says so by `@pytorch none`, so that none is forgotten.
 */
export function namesElsewhere(operation: string, tags: ReadonlyMap<string, string>): NamesElsewhere {
  if (!tags.has('pytorch') && !tags.has('tensorflow'))
    throw new Error(
      `operations.md: expected @pytorch or @tensorflow in the docstring of ${operation}, or @pytorch none, got neither`,
    )
  const named = (tag: string): string => tags.get(tag)?.replace(/^none$/, '') ?? ''
  return { pytorch: named('pytorch'), tensorflow: named('tensorflow'), numpy: named('numpy') }
}

const tagsOf = (symbol: ts.Symbol, checker: ts.TypeChecker): Map<string, string> =>
  new Map(symbol.getJsDocTags(checker).map(({ name, text }) => [name, ts.displayPartsToString(text)]))

function sectionOf(file: string): string | null {
  for (const [where, title] of sections) {
    const match = where.exec(file)
    if (match !== null) return `${title}${match.groups?.file?.replaceAll('-', ' ') ?? ''}`
  }
  return null
}

/** The first sentence, up to a full stop or semicolon, without a parenthesis that goes on after it. */
const firstSentence = (text: string): string =>
  text
    .split('\n\n')[0]!
    .replaceAll(/\s+/g, ' ')
    .replace(/(?<!\b(?:al|e\.g|i\.e))[.;] .*$/, '')
    .replace(/ \([^)]*$/, '')
    .replace(/[.;:]$/, '')

/** Whether it is of the list of other names. */
const isAlias = (exported: ts.Symbol, checker: ts.TypeChecker): boolean =>
  (exported.declarations ?? []).some((declaration) =>
    /operations\/aliases\.ts$/.test(declaration.getSourceFile().fileName),
  ) && checker.getAliasedSymbol(exported).name !== exported.name

/** Every function that the package exports, also from its namespaces, and that stands where operations do. */
function publicOperations(): Operation[] {
  const program = ts.createProgram([`${lib}index.ts`], {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    allowImportingTsExtensions: true,
    noEmit: true,
    strict: true,
    types: ['node'],
  })
  const checker = program.getTypeChecker()
  const resolved = (symbol: ts.Symbol) =>
    symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
  const operations: Operation[] = []
  const aliases = new Map<ts.Symbol, string[]>()
  const aliasesOf = (symbol: ts.Symbol): string[] => {
    const known = aliases.get(symbol) ?? []
    aliases.set(symbol, known)
    return known
  }
  // What is exported twice stands where it is first: metrics have some of the losses.
  const seen = new Set<ts.Symbol>()
  const visit = (module: ts.Symbol, namespace: string) => {
    for (const exported of checker.getExportsOfModule(module)) {
      const symbol = resolved(exported)
      const name = `${namespace}${exported.name}`
      if (symbol.flags & ts.SymbolFlags.ValueModule) visit(symbol, `${name}.`)
      if (isAlias(exported, checker)) {
        aliasesOf(symbol).push(name)
        continue
      }
      const declaration = symbol.valueDeclaration
      if (declaration === undefined || !(symbol.flags & (ts.SymbolFlags.Function | ts.SymbolFlags.Variable))) continue
      const section = sectionOf(relative(lib, declaration.getSourceFile().fileName))
      const isFunction = checker.getTypeOfSymbol(symbol).getCallSignatures().length > 0
      if (section === null || !isFunction || seen.has(symbol)) continue
      seen.add(symbol)
      const summary = firstSentence(ts.displayPartsToString(symbol.getDocumentationComment(checker)))
      if (summary === '') throw new Error(`operations.md: expected a docstring of ${name}, got none`)
      const elsewhere = namesElsewhere(name, tagsOf(symbol, checker))
      operations.push({ name, summary, section, elsewhere, aliases: aliasesOf(symbol) })
    }
  }
  visit(checker.getSymbolAtLocation(program.getSourceFile(`${lib}index.ts`)!)!, '')
  return operations
}

function rowsOf(name: string): readonly OpCase[] {
  const table: Readonly<Record<string, readonly OpCase[]>> = cases
  return table[name] ?? (name.startsWith('losses.') ? [] : (table[name.split('.').at(-1)!] ?? []))
}

/** Whether a gradient of the row's first result in any of its float operands can be recorded. */
function hasGradient(row: OpCase): boolean {
  const xs = leavesOf(row)
  const y = outputsOf(row, xs)[0]!
  const floats = xs.filter((x) => isFloat(x.dtype)).map(nodeOf)
  if (!isFloat(y.dtype)) return false
  try {
    return gradients(nodeOf(y), floats).some((gradient) => gradient !== null)
  } catch (error) {
    if (error instanceof GradientError) return false
    throw error
  }
}

/** The instructions of the row, unfused, each once: an elementwise one by its function. Copies count where there is nothing else. */
function instructionsOf(row: OpCase): string {
  const { program } = forwardPrograms(row)[0]!
  const names = program.instructions.flatMap((next) =>
    next.opcode === 'elementwise' ? next.params.code.map(({ op }) => op as string) : [next.opcode as string],
  )
  const computing = names.filter((name) => name !== 'copy')
  return [...new Set(computing.length > 0 ? computing : names)].join(', ')
}

const mostNames = 8

/** What most of the rows run as; the earlier one of two that are as frequent. */
function runsAs(rows: readonly OpCase[]): string {
  const counts = new Map<string, number>()
  for (const found of rows.map(instructionsOf)) if (found !== '') counts.set(found, (counts.get(found) ?? 0) + 1)
  const [usual] = [...counts].reduce((best, next) => (next[1] > best[1] ? next : best), ['', 0])
  const names = usual.split(', ')
  if (names.length === 1) return usual === '' ? '' : `\`${usual}\``
  return `composition: ${names.slice(0, mostNames).join(', ')}${names.length > mostNames ? ', …' : ''}`
}

function lineOf({ name, summary, elsewhere, aliases }: Operation): string {
  const rows = rowsOf(name)
  const gradient = rows.length === 0 ? '' : rows.some(hasGradient) ? 'yes' : 'no'
  const cells = [
    `\`${name}\``,
    aliases.map((alias) => `\`${alias}\``).join(', '),
    summary,
    ...[elsewhere.pytorch, elsewhere.tensorflow, elsewhere.numpy].map((other) => (other === '' ? '' : `\`${other}\``)),
    gradient,
    runsAs(rows),
  ]
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

const introduction = `# Operations

Every public operation, by \`npm run docs:operations\`. An operation of a tensor is also a method. _Also_ are other
names of it, for users of other libraries. _Gradient_ says whether a
derivative can be recorded, by operations that are differentiable in turn. _Runs as_ names the instruction of its own
that an operation has, or those that it is composed of in the most usual case, before they are fused; each of them has a kernel in
the native core and one in the reference backend.
`

export function operationTable(): string {
  const operations = publicOperations()
  const titles = [...new Set(operations.map(({ section }) => section))].sort(
    (a, b) => orderOf(a) - orderOf(b) || a.localeCompare(b, 'en'),
  )
  const parts = titles.map((title) => {
    const lines = operations.filter(({ section }) => section === title).map(lineOf)
    const head =
      '| name | also | what it gives | PyTorch | TensorFlow | NumPy | gradient | runs as |\n| --- | --- | --- | --- | --- | --- | --- | --- |'
    return `\n## ${title}\n\n${head}\n${lines.join('\n')}\n`
  })
  return introduction + parts.join('')
}

const orderOf = (section: string): number => sections.findIndex(([, title]) => section.startsWith(title))

export const writtenTable = (): string => readFileSync(path, 'utf8')

if (import.meta.url === pathToFileURL(process.argv[1]!).href) writeFileSync(path, operationTable())
