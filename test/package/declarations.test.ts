/** The declarations of the built package show an editor what the sources say. */
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { beforeAll, describe, expect, test } from 'vitest'
import { buildUnlessThere } from '../support/dist.ts'

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

beforeAll(buildUnlessThere)

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
      // numpy's array makes a tensor; the method reads one.
      const isFunction =
        operation && method.name !== 'array' && operation.flags & (ts.SymbolFlags.Function | ts.SymbolFlags.Variable)
      return isFunction ? [[method.name, docOf(method), docOf(operation)] as const] : []
    })
    expect(pairs.length).toBeGreaterThan(180)
    const wrong = pairs.filter(([, method, operation]) => method === '' || method !== operation)
    expect(wrong, 'methods of dist without the docstring of the function; of these sources? npm run build:js').toEqual(
      [],
    )
  })
})

describe('what the declarations promise', () => {
  const require = createRequire(import.meta.url)
  const program = () => editor.getProgram()!

  /** The names of the values that a module or namespace exports, those of its namespaces with them. */
  function valuesIn(symbol: ts.Symbol, prefix = ''): string[] {
    const checker = program().getTypeChecker()
    return checker.getExportsOfModule(symbol).flatMap((exported) => {
      const target = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported
      if (!(target.flags & ts.SymbolFlags.Value)) return []
      const name = `${prefix}${exported.name}`
      return target.flags & ts.SymbolFlags.Module ? [name, ...valuesIn(target, `${name}.`)] : [name]
    })
  }

  test('exists at run time, classes too', () => {
    const source = program().getSourceFile(path('dist/index.d.cts'))!
    const names = valuesIn(program().getTypeChecker().getSymbolAtLocation(source)!)
    expect(names).toEqual(expect.arrayContaining(['add', 'Tensor', 'nn.Linear', 'nn.init.heNormal', 'optim.Optimizer']))
    const built: unknown = require(path('dist/index.cjs'))
    const atRunTime = (name: string) =>
      name.split('.').reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], built)
    expect(names.filter((name) => atRunTime(name) === undefined)).toEqual([])
  })

  test.each([
    ['the libraries of TypeScript alone', ['lib.es2023.d.ts']],
    ['those of a browser', ['lib.es2023.d.ts', 'lib.dom.d.ts']],
  ])('compiles without the types of Node, with %s', (_, lib) => {
    const options: ts.CompilerOptions = {
      module: ts.ModuleKind.NodeNext,
      target: ts.ScriptTarget.ES2023,
      lib,
      types: [],
      strict: true,
      noEmit: true,
    }
    const found = ts.getPreEmitDiagnostics(ts.createProgram([path('dist/index.d.ts')], options))
    expect(found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '))).toEqual([])
  })
})
