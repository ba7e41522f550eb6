import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { defineConfig, type Rolldown } from 'tsdown'
import { pageFiles } from './lib/board/assets.ts'
import manifest from './package.json' with { type: 'json' }
import { inChunks } from './tools/chunks.ts'
import { methodTypes } from './tools/method-types.ts'
import { noticeIn, textOf } from './tools/package/notices.ts'

/**
 * The package is CommonJS, which both `require` and `import` load. Beside each entry stands an ES module that only
 * passes it on, so that a process has one instance of the library, and TypeScript one declaration of each class.
 *
 * Node searches the text of a CommonJS module that is imported for the names of its exports, 0.3 s for the library.
 * So what is imported is a line that requires it.
 */
const esmFacades: Rolldown.Plugin = {
  name: 'esm-facades',
  generateBundle(_options, bundle) {
    for (const chunk of Object.values(bundle)) {
      if (chunk.type !== 'chunk' || !chunk.isEntry) continue
      const { name, fileName, exports } = chunk
      // A command is not imported, and its hooks are by itself.
      if (name.startsWith('cli')) continue
      const files = {
        [`${name}.required.cjs`]: `exports.required = require('./${fileName}')\n`,
        [`${name}.js`]: reexport(exports, `./${name}.required.cjs`),
        [`${name}.d.ts`]: `export * from './${fileName}'\n`,
      }
      for (const [fileName, source] of Object.entries(files)) this.emitFile({ type: 'asset', fileName, source })
    }
  },
}

/** By other names in between, as some are words of the language (`var`), which only an export may be called. */
const reexport = (names: readonly string[], file: string) => {
  const list = (text: (name: string) => string) => names.map((name) => `  ${text(name)},\n`).join('')
  return [
    `import { required } from '${file}'\n`,
    `const {\n${list((name) => `${name}: ${name}_`)}} = required\n`,
    `export {\n${list((name) => `${name}_ as ${name}`)}}\n`,
  ].join('\n')
}

/** The licences of packages of which the bundle holds code, as they ask for, in one file. */
const licences: Rolldown.Plugin = {
  name: 'licences',
  generateBundle(_options, bundle) {
    const modules = Object.values(bundle).flatMap((chunk) => (chunk.type === 'chunk' ? chunk.moduleIds : []))
    const folders = new Set(modules.map((id) => id.match(/^.*[/]node_modules[/](?:@[^/]+[/])?[^/]+/)?.[0] ?? ''))
    folders.delete('')
    // The page's, which no module imports.
    folders.add(dirname(createRequire(import.meta.url).resolve('uplot/package.json')))
    const source = textOf([...folders].toSorted().map(noticeIn))
    if (source !== '') this.emitFile({ type: 'asset', fileName: 'third-party-licences.txt', source })
  },
}

/** The page of runs as it is served. */
const page: Rolldown.Plugin = {
  name: 'page',
  generateBundle() {
    for (const [path, { text }] of pageFiles()) this.emitFile({ type: 'asset', fileName: `page/${path}`, source: text })
  },
}

/** An entry for each export of the package: `./numpy` is lib/numpy/index.ts, `./serve/http` lib/serve/http/index.ts and dist/serve-http. */
const subpaths = Object.keys(manifest.exports)
  .filter((path) => /^\.\/[\w/]+$/.test(path))
  .map((path) => path.slice(2))

/**
 * What entries share is declared in one file, whole: names of one module in two of them would be in the way of each other where
 * a type is called as a namespace is.
 */
const declarationsOnce: Rolldown.OutputOptions = {
  chunkFileNames: '[name].cts',
  codeSplitting: {
    includeDependenciesRecursively: false,
    groups: [
      {
        name(id, build) {
          const [, folder] = /\/lib\/(?:(\w+)\/)?/.exec(id) ?? []
          const ofEntry = folder === 'cli' || subpaths.includes(folder ?? '') || build.getModuleInfo(id)?.isEntry
          return ofEntry ? null : 'declarations.d'
        },
      },
    ],
  },
}

export default defineConfig({
  entry: {
    index: 'lib/index.ts',
    cli: 'lib/cli/main.ts',
    'cli-typescript': 'lib/cli/typescript/hooks.ts',
    ...Object.fromEntries(subpaths.map((name) => [name.replace('/', '-'), `lib/${name}/index.ts`])),
  },
  format: 'cjs',
  platform: 'node',
  target: 'node20.19',
  dts: true,
  sourcemap: true,
  fixedExtension: false,
  plugins: [esmFacades, licences, page],
  inputOptions: { preserveEntrySignatures: 'allow-extension', experimental: { nativeMagicString: true } },
  outputOptions: (_options, _format, { cjsDts }) =>
    cjsDts ? { ...declarationsOnce, plugins: [methodTypes] } : inChunks,
  checks: { legacyCjs: false, pluginTimings: false },
})
