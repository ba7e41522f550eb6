/**
 * Writes the methods of Tensor into the bundled declarations, each with the docstring of its function. In the sources
 * lib/operations/methods.ts derives them by an augmentation of another module; a bundle is one module, and an editor
 * finds no docstring through what is derived from its aliases.
 */
import type { Rolldown } from 'tsdown'
import ts from 'typescript'

/** What the bundle holds of methods.ts. */
const derived = /(^\/\/#region lib\/operations\/methods\.d\.ts\n)([\s\S]*?)(^\/\/#endregion\n)/m

const parse = (code: string): ts.NodeArray<ts.Statement> =>
  ts.createSourceFile('bundle.d.ts', code, ts.ScriptTarget.ES2023, true).statements

interface DeclaredFunction {
  readonly doc: string
  readonly signature: ts.SignatureDeclaration
}

const docOf = (node: ts.Node): string => ts.getJSDocCommentsAndTags(node).find(ts.isJSDoc)?.getText() ?? ''

/** The functions of a bundle by the names that they have in it. */
function functionsOf(statements: readonly ts.Statement[]): Map<string, DeclaredFunction> {
  const found = new Map<string, DeclaredFunction>()
  for (const statement of statements) {
    if (ts.isFunctionDeclaration(statement))
      found.set(statement.name!.text, { doc: docOf(statement), signature: statement })
    if (!ts.isVariableStatement(statement)) continue
    for (const declaration of statement.declarationList.declarations)
      if (declaration.type && ts.isFunctionTypeNode(declaration.type))
        found.set(declaration.name.getText(), { doc: docOf(declaration), signature: declaration.type })
  }
  return found
}

/** The names that a namespace of the bundle exports, and those that they have in it. */
function membersOf(statements: readonly ts.Statement[], namespace: string): [name: string, local: string][] {
  const found = statements.find((x) => ts.isModuleDeclaration(x) && x.name.text === namespace)
  const specifiers: ts.ExportSpecifier[] = []
  found?.forEachChild((body) =>
    body.forEachChild((statement) => {
      if (ts.isExportDeclaration(statement) && statement.exportClause && ts.isNamedExports(statement.exportClause))
        specifiers.push(...statement.exportClause.elements)
    }),
  )
  return specifiers.map(({ name, propertyName }) => [name.text, (propertyName ?? name).text])
}

export function withMethods(code: string): string {
  const statements = parse(code)
  const functions = functionsOf(statements)
  const methodOf = (name: string, { doc, signature }: DeclaredFunction): string => {
    if (doc === '') throw new Error(`method-types: expected a docstring of ${name}, got none`)
    const parameters = signature.parameters.slice(1).map((parameter) => parameter.getText())
    const generic = signature.typeParameters ? `<${signature.typeParameters.map((x) => x.getText()).join(', ')}>` : ''
    const text = `${doc}\n${name}${generic}(${parameters.join(', ')}): ${signature.type!.getText()};`
    return text.replaceAll(/^/gm, '  ')
  }
  return code.replace(derived, (_, begin: string, inside: string, end: string) => {
    const namespace = /Omit<typeof ([\w$]+),/.exec(inside)![1]!
    const functionsOnly = /readonly \[(.*)\]/.exec(inside)![1]!
    const methods = membersOf(statements, namespace).flatMap(([name, local]) => {
      const operation = functions.get(local)
      return operation === undefined || functionsOnly.includes(`"${name}"`) ? [] : [methodOf(name, operation)]
    })
    return `${begin}interface Tensor {\n${methods.join('\n')}\n}\n${end}`
  })
}

export const methodTypes: Rolldown.Plugin = {
  name: 'method-types',
  renderChunk: (code, { fileName }) => (/\.d\.c?ts$/.test(fileName) ? withMethods(code) : null),
}
