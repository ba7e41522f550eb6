/** The public functions, constructors, methods and properties with their parameters, as the compiler knows them. */
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

/** What a value is, as far as a declared type can tell values apart. */
export type Kind =
  | 'number'
  | 'boolean'
  | 'string'
  | 'undefined'
  | 'null'
  | 'function'
  | 'tensor'
  | 'variable'
  | 'typed array'
  | 'array'
  | 'object'

export interface Parameter {
  readonly name: string
  /** What it may be; null where it may be anything. */
  readonly kinds: ReadonlySet<Kind> | null
  /** The names of the types it is made of, and the literals: how to make one. */
  readonly types: readonly string[]
  /** Of options: its properties. */
  readonly properties: Readonly<Record<string, Omit<Parameter, 'properties'>>>
}

export interface Entry {
  /** Where it is in the package: `nn.linear`, `Tensor.prototype.add`. */
  readonly path: string
  readonly form: 'function' | 'constructor' | 'method' | 'setter'
  /** Of each overload. */
  readonly signatures: readonly (readonly Parameter[])[]
}

/** Everything that can be called or set of what `lib/index.ts` exports. */
export function publicSurface(): Entry[] {
  const root = fileURLToPath(new URL('../../..', import.meta.url))
  const { config } = ts.readConfigFile(`${root}/tsconfig.json`, ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
  const program = ts.createProgram([`${root}/lib/index.ts`], options)
  const file = program.getSourceFile(`${root}/lib/index.ts`)!
  const walk = new Walk(program.getTypeChecker(), file)
  walk.module(walk.checker.getSymbolAtLocation(file)!, '')
  return walk.entries
}

class Walk {
  readonly entries: Entry[] = []

  constructor(
    readonly checker: ts.TypeChecker,
    readonly file: ts.SourceFile,
  ) {}

  module(module: ts.Symbol, path: string): void {
    for (const exported of this.checker.getExportsOfModule(module)) {
      const symbol = exported.flags & ts.SymbolFlags.Alias ? this.checker.getAliasedSymbol(exported) : exported
      const name = path === '' ? exported.name : `${path}.${exported.name}`
      if (symbol.flags & ts.SymbolFlags.ValueModule) this.module(symbol, name)
      else if (symbol.flags & ts.SymbolFlags.Value) this.value(symbol, name)
    }
  }

  private value(symbol: ts.Symbol, path: string): void {
    const type = this.checker.getTypeOfSymbolAtLocation(symbol, this.file)
    this.add(path, 'function', type.getCallSignatures())
    const constructors = type.getConstructSignatures()
    if (constructors.length === 0) return
    this.add(path, 'constructor', constructors.filter(isPublic))
    for (const property of this.checker.getDeclaredTypeOfSymbol(symbol).getProperties()) this.member(property, path)
  }

  private member(symbol: ts.Symbol, path: string): void {
    const modifiers = symbol.declarations?.map(ts.getCombinedModifierFlags).reduce((a, b) => a | b, 0) ?? 0
    if (modifiers & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected) || /^(#|__)/.test(symbol.name)) return
    const type = this.checker.getTypeOfSymbolAtLocation(symbol, this.file)
    const where = `${path}.prototype.${symbol.name}`
    if (symbol.flags & ts.SymbolFlags.SetAccessor)
      this.entries.push({ path: where, form: 'setter', signatures: [[this.parameter('value', type)]] })
    else this.add(where, 'method', type.getCallSignatures())
  }

  private add(path: string, form: Entry['form'], signatures: readonly ts.Signature[]): void {
    const taken = signatures.filter(isPublic).flatMap((signature) => this.forms(signature))
    if (taken.length > 0) this.entries.push({ path, form, signatures: taken })
  }

  /** The parameters of a signature, in each of the forms that a last one which stands for several has. */
  private forms({ parameters }: ts.Signature): Parameter[][] {
    const last = parameters.at(-1)
    const rest = last === undefined ? [] : this.restOf(last)
    if (!rest.some((part) => this.checker.isTupleType(part))) return [parameters.map((p) => this.declared(p))]
    const before = parameters.slice(0, -1).map((p) => this.declared(p))
    return rest.map((part) => [
      ...before,
      ...(this.checker.isTupleType(part)
        ? this.ofTuple(part as ts.TupleTypeReference)
        : [this.parameter(`...${last!.name}`, this.elementOf(part)!)]),
    ])
  }

  /** The tuples and arrays that a rest parameter may be. */
  private restOf(symbol: ts.Symbol): ts.Type[] {
    return isRest(symbol) ? this.parts(this.checker.getTypeOfSymbolAtLocation(symbol, this.file)) : []
  }

  private ofTuple(tuple: ts.TupleTypeReference): Parameter[] {
    const { elementFlags, labeledElementDeclarations } = tuple.target
    return this.checker.getTypeArguments(tuple).flatMap((type, i) => {
      const flags = elementFlags[i] ?? ts.ElementFlags.Required
      if (flags & ts.ElementFlags.Variable) return []
      const label = labeledElementDeclarations?.[i]?.name.getText() ?? `argument${i}`
      const { kinds, ...parameter } = this.parameter(label, type)
      const isOptional = (flags & ts.ElementFlags.Optional) !== 0
      return [{ ...parameter, kinds: kinds && isOptional ? new Set([...kinds, 'undefined' as const]) : kinds }]
    })
  }

  private declared(symbol: ts.Symbol): Parameter {
    const declaration = symbol.valueDeclaration
    const type = this.checker.getTypeOfSymbolAtLocation(symbol, this.file)
    const isSeveral = isRest(symbol)
    const { name, kinds, ...rest } = this.parameter(symbol.name, isSeveral ? (this.elementOf(type) ?? type) : type)
    const isOptional =
      isSeveral ||
      (declaration !== undefined && ts.isParameter(declaration) && this.checker.isOptionalParameter(declaration))
    return {
      name: isSeveral ? `...${name}` : name,
      kinds: kinds && isOptional ? new Set([...kinds, 'undefined']) : kinds,
      ...rest,
    }
  }

  private elementOf(type: ts.Type): ts.Type | undefined {
    return this.checker.getIndexTypeOfType(type, ts.IndexKind.Number)
  }

  private parameter(name: string, type: ts.Type, depth = 0): Parameter {
    const kinds = new Set<Kind>()
    const types: string[] = []
    const properties: Record<string, Parameter> = {}
    let isAny = false
    for (const part of this.parts(type)) {
      const kind = this.kindOf(part)
      if (kind === null) isAny = true
      else kinds.add(kind)
      types.push(part.isStringLiteral() ? JSON.stringify(part.value) : this.checker.typeToString(part))
      if (kind !== 'object' || depth > 0) continue
      for (const property of part.getProperties())
        properties[property.name] = this.parameter(
          property.name,
          this.checker.getTypeOfSymbolAtLocation(property, this.file),
          1,
        )
    }
    return { name, kinds: isAny ? null : kinds, types, properties }
  }

  private parts(type: ts.Type): ts.Type[] {
    if (type.isUnion()) return type.types.flatMap((part) => this.parts(part))
    const constraint = type.isTypeParameter() ? this.checker.getBaseConstraintOfType(type) : undefined
    return constraint === undefined || constraint === type ? [type] : this.parts(constraint)
  }

  /** null for what may be anything. */
  private kindOf(type: ts.Type): Kind | null {
    const { flags } = type
    if (flags & (ts.TypeFlags.Any | ts.TypeFlags.Unknown | ts.TypeFlags.TypeParameter | ts.TypeFlags.Never)) return null
    if (flags & ts.TypeFlags.NumberLike) return 'number'
    if (flags & ts.TypeFlags.BooleanLike) return 'boolean'
    if (flags & ts.TypeFlags.StringLike) return 'string'
    if (flags & (ts.TypeFlags.Undefined | ts.TypeFlags.Void)) return 'undefined'
    if (flags & ts.TypeFlags.Null) return 'null'
    if (this.checker.isArrayType(type) || this.checker.isTupleType(type)) return 'array'
    const name = type.symbol?.name ?? ''
    if (name === 'Tensor') return 'tensor'
    if (name === 'Variable') return 'variable'
    if (/^(Big)?(Float|Ui|I)nt?\d*(Clamped)?Array$|^(Float|Int|Uint)\d+(Clamped)?Array$/.test(name))
      return 'typed array'
    if (type.getCallSignatures().length > 0) return 'function'
    return 'object'
  }
}

function isRest({ valueDeclaration }: ts.Symbol): boolean {
  return (
    valueDeclaration !== undefined && ts.isParameter(valueDeclaration) && valueDeclaration.dotDotDotToken !== undefined
  )
}

function isPublic(signature: ts.Signature): boolean {
  const flags = signature.declaration === undefined ? 0 : ts.getCombinedModifierFlags(signature.declaration)
  return (flags & ts.ModifierFlags.Protected) === 0 && !signature.getJsDocTags().some(({ name }) => name === 'internal')
}
