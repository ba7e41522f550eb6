/** Which file imports what from which, and what of it the layers of the library do not allow. */
import { posix } from 'node:path'
import ts from 'typescript'

/** The text of every file, by its path under lib. */
export type Sources = Readonly<Record<string, string>>

/** The folders that each folder may import from. */
export type Layers = ReadonlyMap<string, ReadonlySet<string>>

export interface Import {
  readonly from: string
  readonly to: string
  /** What it takes, by the name it is exported under; null for all there is. */
  readonly names: readonly string[] | null
  readonly atRunTime: boolean
  /** Whether it is an export: what it takes is exported by its own file too. */
  readonly isExport: boolean
}

export const folderOf = (path: string): string => (path.includes('/') ? path.split('/')[0]! : '')

/** Reads lines such as `a ← b, c ← d`: b and c may import from a but not from each other, and d from all of them. */
export function layersOf(lines: readonly string[]): Layers {
  const layers = new Map<string, Set<string>>()
  for (const line of lines) {
    const below: string[] = []
    for (const level of line.split('←')) {
      const folders = level.split(',').map((folder) => folder.trim())
      for (const folder of folders) layers.set(folder, new Set([...(layers.get(folder) ?? []), ...below]))
      below.push(...folders)
    }
  }
  return layers
}

/** By their text: every file is asked many times. */
const parsed = new Map<string, ts.SourceFile>()

function parse(path: string, text: string): ts.SourceFile {
  const file = parsed.get(text) ?? ts.createSourceFile(path, text, ts.ScriptTarget.Latest)
  parsed.set(text, file)
  return file
}

/** The imports of files of lib; those of packages and of Node are not among them. */
export function importsOf(from: string, text: string): Import[] {
  const found: Import[] = []
  const add = (
    specifier: ts.Node | undefined,
    names: readonly string[] | null,
    atRunTime: boolean,
    isExport = false,
  ) => {
    if (specifier === undefined || !ts.isStringLiteral(specifier) || !specifier.text.startsWith('.')) return
    found.push({ from, to: posix.join(posix.dirname(from), specifier.text), names, atRunTime, isExport })
  }
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      const { importClause: clause } = node
      add(node.moduleSpecifier, namesOf(clause?.namedBindings), clause === undefined || !clause.isTypeOnly)
    } else if (ts.isExportDeclaration(node))
      add(node.moduleSpecifier, namesOf(node.exportClause), !node.isTypeOnly, true)
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal, null, false)
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      add(node.arguments[0], null, true)
    ts.forEachChild(node, visit)
  }
  visit(parse(from, text))
  return found
}

function namesOf(bindings: ts.NamedImportBindings | ts.NamedExportBindings | undefined): string[] | null {
  if (bindings === undefined || !(ts.isNamedImports(bindings) || ts.isNamedExports(bindings))) return null
  return bindings.elements.map(({ propertyName, name }) => (propertyName ?? name).text)
}

const allImports = (sources: Sources): Import[] =>
  Object.entries(sources).flatMap(([path, text]) => importsOf(path, text))

/** Imports from a folder that the layers do not allow; lib/index.ts may import from all. */
export function forbiddenArrows(sources: Sources, layers: Layers): string[] {
  const isAllowed = ({ from, to }: Import) =>
    folderOf(from) === folderOf(to) || layers.get(folderOf(from))?.has(folderOf(to))
  return allImports(sources)
    .filter((next) => next.from !== 'index.ts' && !isAllowed(next))
    .map(({ from, to }) => `${from} → ${to}`)
}

/** Circles of files that import each other at run time, each from its first file by name back to that. */
export function circles(sources: Sources): string[] {
  const imports = allImports(sources).filter(({ atRunTime }) => atRunTime)
  const found = new Set<string>()
  const done = new Set<string>()
  const follow = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path)
    if (start >= 0) found.add(circleOf(trail.slice(start)))
    if (start >= 0 || done.has(path)) return
    for (const { from, to } of imports) if (from === path) follow(to, [...trail, path])
    done.add(path)
  }
  for (const path of Object.keys(sources)) follow(path, [])
  return [...found]
}

function circleOf(files: readonly string[]): string {
  const first = files.indexOf([...files].sort()[0]!)
  return [...files.slice(first), ...files.slice(0, first), files[first]].join(' → ')
}

/** The names that a file declares and exports. */
function declaredBy(path: string, text: string): string[] {
  const file = parse(path, text)
  const isExported = (node: ts.Statement) =>
    ts.canHaveModifiers(node) && ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)
  return file.statements.filter(isExported).flatMap((node) => {
    const declarations = ts.isVariableStatement(node)
      ? node.declarationList.declarations
      : [node as ts.DeclarationStatement]
    return declarations.map(({ name }) => name!.getText(file))
  })
}

/** Everything that lib/index.ts exports, also in its namespaces, as `file name` of where it is declared. */
export function publicNames(sources: Sources, path = 'index.ts', names: readonly string[] | null = null): Set<string> {
  const text = sources[path] ?? ''
  const isAsked = (name: string) => names === null || names.includes(name)
  const found = new Set(
    declaredBy(path, text)
      .filter(isAsked)
      .map((name) => `${path} ${name}`),
  )
  for (const next of importsOf(path, text)) {
    if (!next.isExport) continue
    const asked = next.names?.filter(isAsked) ?? names
    if (asked !== null && asked.length === 0) continue
    for (const name of publicNames(sources, next.to, asked)) found.add(name)
  }
  return found
}

/** What files of these folders import from others than these and `base`, and a user could not. */
export function privateImports(sources: Sources, folders: readonly string[]): string[] {
  const known = publicNames(sources)
  return allImports(sources)
    .filter(({ from, to }) => folders.includes(folderOf(from)) && !['base', ...folders].includes(folderOf(to)))
    .flatMap(({ from, to, names }) => {
      const taken = [...publicNames(sources, to, names)]
      return taken.filter((name) => !known.has(name)).map((name) => `${from} → ${name}`)
    })
}
