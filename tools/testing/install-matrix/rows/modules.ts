/** Kinds of modules, and TypeScript, which checks the program against the declarations of the package. */
import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Row, train, usual } from '../row.ts'
import { node, versionOf } from '../toolbox.ts'

const typescript = fileURLToPath(import.meta.resolve('typescript/bin/tsc'))
const types = fileURLToPath(new URL('../../../../node_modules/@types', import.meta.url))

const options = {
  ...{ target: 'es2023', lib: ['es2023'], strict: true, allowJs: true, checkJs: true },
  ...{ typeRoots: [types], types: ['node'], rootDir: '.', outDir: 'built' },
}

const plain = (title: string, file: string): Row => ({
  title,
  run: (setting) => train(usual(setting), ['node', file]),
})

/** The program is TypeScript as it stands, and may be so in both kinds of modules. */
const asTypeScript = (project: string, file: string) => copyFileSync(join(project, 'xor.mjs'), join(project, file))

/** Compiled by tsc, which checks the declarations too, and then run. */
const compiled = (title: string, module: object, source: string, built: string): Row => ({
  title,
  run(setting) {
    const installation = usual(setting)
    asTypeScript(installation.project, source)
    const config = { compilerOptions: { ...options, ...module }, files: [source] }
    writeFileSync(join(installation.project, 'tsconfig.json'), JSON.stringify(config))
    installation.run(['node', typescript])
    return train(installation, ['node', join('built', built)])
  },
})

export const modules = (): Row[] => [
  plain('ES module', 'xor.mjs'),
  plain('CommonJS', 'xor.cjs'),
  compiled('TypeScript, node16, ES module', { module: 'node16' }, 'xor.mts', 'xor.mjs'),
  compiled('TypeScript, node16, CommonJS', { module: 'node16' }, 'xor.cts', 'xor.cjs'),
  compiled('TypeScript, bundler', { module: 'esnext', moduleResolution: 'bundler' }, 'xor.mts', 'xor.mjs'),
  {
    title: `TypeScript as Node ${versionOf('node-24')} runs it`,
    run(setting) {
      const installation = usual(setting)
      asTypeScript(installation.project, 'xor.mts')
      return train(installation, [node('node-24'), 'xor.mts'])
    },
  },
]
