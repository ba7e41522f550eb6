/** The public functions that take options, as the compiler knows them. */
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

/** What the compiler says of an option, as far as a test can give it something else. */
export type OptionKind = 'boolean' | 'number' | 'string' | 'dtype' | 'function' | 'other'

export interface FunctionWithOptions {
  /** Where it is in the package: `nn.linear`. */
  readonly path: string
  /** How many arguments come before the options. */
  readonly before: number
  readonly options: Readonly<Record<string, OptionKind>>
}

/** Every function, class and overload that `lib/index.ts` exports whose last parameter is options. */
export function functionsWithOptions(): FunctionWithOptions[] {
  const root = fileURLToPath(new URL('../..', import.meta.url))
  const { config } = ts.readConfigFile(`${root}/tsconfig.json`, ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
  const program = ts.createProgram([`${root}/lib/index.ts`], options)
  const file = program.getSourceFile(`${root}/lib/index.ts`)!
  const checker = program.getTypeChecker()
  return walk(checker, checker.getSymbolAtLocation(file)!, file, '')
}

function walk(checker: ts.TypeChecker, module: ts.Symbol, file: ts.SourceFile, path: string): FunctionWithOptions[] {
  return checker.getExportsOfModule(module).flatMap((exported) => {
    const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported
    const name = path === '' ? exported.name : `${path}.${exported.name}`
    if (symbol.flags & ts.SymbolFlags.ValueModule) return walk(checker, symbol, file, name)
    if (!(symbol.flags & ts.SymbolFlags.Value)) return []
    const type = checker.getTypeOfSymbolAtLocation(symbol, file)
    const signatures = [...type.getCallSignatures(), ...type.getConstructSignatures()].filter(
      (signature) => !signature.getJsDocTags().some((tag) => tag.name === 'internal'),
    )
    return signatures.flatMap(({ parameters }): FunctionWithOptions[] => {
      // What has to be empty comes after the options of most.
      const named = parameters.filter(({ name }) => name !== 'surplus')
      const last = named.at(-1)
      const taken = last && optionsOf(checker, last, file)
      return taken ? [{ path: name, before: named.length - 1, options: taken }] : []
    })
  })
}

/** The kinds of the options that a parameter is, if it is options: by its name, its type's, or as it is taken apart. */
function optionsOf(checker: ts.TypeChecker, parameter: ts.Symbol, file: ts.SourceFile) {
  const type = checker.getNonNullableType(checker.getTypeOfSymbolAtLocation(parameter, file))
  const typeName = (type.aliasSymbol ?? type.symbol)?.name ?? ''
  const isOptions = /options$/i.test(parameter.name) || /Options$/.test(typeName) || parameter.name.startsWith('__')
  if (
    !isOptions ||
    /Operands$|^ErrorOptions$/.test(typeName) ||
    !(type.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection))
  )
    return undefined
  const kinds = type.getProperties().map((property) => {
    const of = checker.getNonNullableType(checker.getTypeOfSymbolAtLocation(property, file))
    return [property.name, kindOf(of)] as const
  })
  return Object.fromEntries(kinds)
}

function kindOf(type: ts.Type): OptionKind {
  const parts = type.isUnion() ? type.types : [type]
  const are = (flags: ts.TypeFlags) => parts.every((part) => part.flags & flags)
  if (are(ts.TypeFlags.BooleanLike)) return 'boolean'
  if (are(ts.TypeFlags.NumberLike)) return 'number'
  if (are(ts.TypeFlags.StringLike)) return type.aliasSymbol?.name === 'DType' ? 'dtype' : 'string'
  return parts.every((part) => part.getCallSignatures().length > 0) ? 'function' : 'other'
}
