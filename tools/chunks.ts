/**
 * The files that the package is cut into. An import loads the surface, which is what users can name and what that stands on;
 * the graph and what runs it, layers, optimizers, formats and the rest are files that the first use of something in them requires.
 */
import type { Rolldown } from 'tsdown'

/** Those of the folders of lib that are not a file of the same name. The modules of subpaths are in their entries. */
const files: Record<string, string | null> = {
  base: 'surface',
  tensor: 'surface',
  operations: 'surface',
  graph: 'engine',
  program: 'engine',
  runtime: 'engine',
  backend: 'engine',
  torch: null,
  onnx: null,
  tensorboard: null,
  board: null,
  serve: null,
}

/** Modules of other folders that modules of the surface read while they are loaded. */
const readOnImport = /\/lib\/files\/stored\.ts$/

/** A file for each command, and for each folder of what commands share. */
const chunkOfCommand = (rest: string): string => {
  const [, folder, name] = /^(?:(\w+)\/)?([\w-]+)\.ts$/.exec(rest) ?? []
  if (folder === 'commands') return `cli-${name}`
  return folder === undefined ? 'cli-program' : `cli-${folder}`
}

const chunkOf: Rolldown.CodeSplittingNameFunction = (id, build) => {
  const module = build.getModuleInfo(id)
  const [, folder, rest] = /\/lib\/(\w+)\/(.*)/.exec(id) ?? []
  if (id.includes('/node_modules/csv-parse/')) return 'csv-parse'
  if (id.includes('/node_modules/pngjs/')) return 'png-encoder'
  if (id.includes('/node_modules/commander/')) return 'commander'
  if (/\/node_modules\/(sucrase|ts-interface-checker|lines-and-columns|@jridgewell)\//.test(id)) return 'sucrase'
  // Messages are made when the first file is read.
  if (id.includes('/node_modules/@bufbuild/')) return 'protobuf'
  const messages = /\/(\w+)_pb\.ts$/.exec(id)?.[1]
  if (messages !== undefined) return `${messages}-messages`
  if (module === null || module.isEntry || folder === undefined) return null
  // What lib/index.ts names is there for `import`, which reads every name: the members of a namespace, but not what they stand for.
  if (readOnImport.test(id) || module.importers.some((importer) => importer.endsWith('/lib/index.ts'))) return 'surface'
  if (folder === 'backend' && rest!.startsWith('reference/')) return 'reference'
  if (folder === 'cli') return chunkOfCommand(rest!)
  return folder in files ? files[folder]! : folder
}

const required = /^(?:const|let) ([\w$]+) = (require\(['"].*['"]\));$/gm
const getter =
  /^Object\.defineProperty\(exports, '(\w+)', \{\s+enumerable: true,\s+get: function \(\) \{\s+return ([\w$]+);\s+\}\s+\}\);$/gm

/**
 * Makes `const require_nn = require('./nn.cjs')` a function that requires the file when it is first called, and each use of
 * it a call. Those of the surface are as they were, since it is loaded by then: it may read nothing of other files itself
 * while it is loaded, to which test/package/startup.test.ts holds it. So may what is exported be plain values: getters
 * would take a tenth of the time of an import, and nothing exported changes once its file is loaded.
 */
const lazyRequires: Rolldown.Plugin = {
  name: 'lazy-requires',
  renderChunk(code, _chunk, _options, { magicString }) {
    const text = magicString!
    for (const { 0: line, 1: name, 2: call, index } of code.matchAll(required)) {
      if (/^require_(surface|rolldown_runtime)$/.test(name!)) continue
      text.overwrite(index, index + line.length, `let ${name}_;\nconst ${name} = () => ${name}_ ??= ${call};`)
      // Behind three dots, too, but not where it is a property.
      const uses = RegExp(`(?<![\\w$]|(?<!\\.\\.)\\.)(new )?${name!.replaceAll('$', '\\$')}(?=\\.)`, 'g')
      for (const { 0: use, 1: made, index } of code.matchAll(uses))
        text.overwrite(index, index + use.length, made ? `new (${name}())` : `${name}()`)
    }
    for (const { 0: lines, 1: name, 2: value, index } of code.matchAll(getter))
      text.overwrite(index, index + lines.length, `exports.${name} = ${value};`)
    return text
  },
}

/**
 * Without comments, which take a tenth of the time of an import too. The maps say where a line is in lib, for stack traces, and do not hold lib: with it
 * they would be five times as large, and half of all that is no addon.
 */
export const inChunks: Rolldown.OutputOptions = {
  chunkFileNames: '[name].cjs',
  codeSplitting: { includeDependenciesRecursively: false, groups: [{ name: chunkOf }] },
  comments: false,
  sourcemapExcludeSources: true,
  plugins: [lazyRequires],
}
