/** The declarations of the built package show an editor what the sources say. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { beforeAll, describe, expect, test } from 'vitest'

const path = (relative: string) => fileURLToPath(new URL(`../../${relative}`, import.meta.url))

const user = path('user.mts')
const names = ['add', 'matmul', 'squeeze'] as const
const code = `import * as g from './dist/index.js'
const t = g.ones([2, 2])
${names.map((name) => `t.${name}\ng.${name}\n`).join('')}`

const read = (name: string) => (name === user ? code : ts.sys.readFile(name))

/** An editor that has a file open which uses the package. */
const editor = ts.createLanguageService({
  getScriptFileNames: () => [user],
  getScriptVersion: () => '1',
  getScriptSnapshot(name) {
    const text = read(name)
    return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text)
  },
  getCurrentDirectory: () => path('.'),
  getCompilationSettings: () => ({ module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2023, types: ['node'] }),
  getDefaultLibFileName: ts.getDefaultLibFilePath,
  fileExists: (name) => read(name) !== undefined,
  readFile: read,
})

/** What it shows of the last name of an expression. */
function shown(expression: string): { documentation: string; tags: string[] } {
  const info = editor.getQuickInfoAtPosition(user, code.indexOf(`${expression}\n`) + expression.lastIndexOf('.') + 1)
  const tags = info?.tags?.map(({ name, text }) => `${name} ${ts.displayPartsToString(text)}`) ?? []
  return { documentation: ts.displayPartsToString(info?.documentation), tags }
}

beforeAll(() => {
  if (!existsSync(path('dist'))) execFileSync('npm', ['run', 'build'], { cwd: path('.') })
})

describe('an editor shows of a method what it shows of the function', () => {
  const beginnings = { add: 'x + y', matmul: 'x[…, m, k] · y[…, k, n]', squeeze: 'Without the axes of extent 1' }

  test.each(names)('%s', (name) => {
    const method = shown(`t.${name}`)
    expect(method.documentation).toContain(beginnings[name])
    expect(method.tags.some((tag) => tag.startsWith('throws ShapeError'))).toBe(true)
    expect(method).toEqual(shown(`g.${name}`))
  })

  test('and so it is for all of them', () => {
    const program = editor.getProgram()!
    const checker = program.getTypeChecker()
    const index = checker.getSymbolAtLocation(program.getSourceFile(path('dist/index.d.cts'))!)!
    const functions = new Map(checker.getExportsOfModule(index).map((x) => [x.name, checker.getAliasedSymbol(x)]))
    const methods = checker.getDeclaredTypeOfSymbol(functions.get('Tensor')!).getProperties()
    const docOf = (symbol: ts.Symbol) => ts.displayPartsToString(symbol.getDocumentationComment(checker))
    const pairs = methods.flatMap((method) => {
      const operation = functions.get(method.name)
      const isFunction = operation && operation.flags & (ts.SymbolFlags.Function | ts.SymbolFlags.Variable)
      return isFunction ? [[method.name, docOf(method), docOf(operation)] as const] : []
    })
    expect(pairs.length).toBeGreaterThan(180)
    const wrong = pairs.filter(([, method, operation]) => method === '' || method !== operation)
    expect(wrong, 'methods of dist without the docstring of the function; of these sources? npm run build').toEqual([])
  })
})
