/** Bundlers that leave the package out, one that does not, and what is uploaded to AWS Lambda. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, cpSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { megabytes } from '../report.ts'
import { type Row, type Setting, train, usual } from '../row.ts'
import { bun, node, tool, versionOf } from '../toolbox.ts'

/** What a bundler leaves in the folder `built` of the project runs from elsewhere. */
const row = (title: string, command: readonly string[], built = 'xor.cjs'): Row => ({
  title,
  run(setting) {
    const installation = usual(setting)
    installation.run(command)
    return train(installation, ['node', join(installation.project, 'built', built)], { cwd: '/' })
  },
})

const esbuild = ['node', tool('esbuild/bin/esbuild'), '--bundle', '--platform=node']
const requireInModule = 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url)'
const rollup = ['node', tool('rollup/dist/bin/rollup'), '-p', tool('@rollup/plugin-commonjs')]
const vite = [node('node-24'), tool('vite/bin/vite.js'), 'build', '--ssr', 'xor.mjs', '--outDir', 'built']

/** The package in the bundle, and its addon beside that. */
function runBundledWhole(setting: Setting) {
  const installation = usual(setting)
  const folder = join(installation.project, 'built')
  installation.run([...esbuild, 'xor.mjs', `--outfile=${join(folder, 'xor.cjs')}`])
  const addon = join(folder, 'galvani.node')
  copyFileSync(join(installation.installed, 'prebuilds/linux-x64/galvani.node'), addon)
  rmSync(join(installation.project, 'node_modules'), { recursive: true })
  return train(installation, ['node', join(folder, 'xor.cjs')], { cwd: '/', env: { GALVANI_ADDON: addon } })
}

/** A bundle and the package in a zip, unzipped to where nothing can be written; nobody is at home there. */
function runInLambda(setting: Setting) {
  const installation = usual(setting)
  const [upload, task] = ['upload', 'task'].map((name) => join(setting.folder, name)) as [string, string]
  installation.run([...esbuild, 'handler.mjs', '--external:galvani', `--outfile=${join(upload, 'handler.cjs')}`])
  cpSync(installation.installed, join(upload, 'node_modules/galvani'), { recursive: true })
  const file = join(setting.folder, 'upload.zip')
  zip('-c', file, ...readdirSync(upload).map((name) => join(upload, name)))
  zip('-e', file, task)
  const invoke = ['node', join(installation.project, 'invoke.cjs'), join(task, 'handler.cjs')]
  const outcome = train(installation, invoke, { cwd: task, readOnly: task, env: { HOME: undefined } })
  return { ...outcome, note: `a zip of ${megabytes(statSync(file).size)}` }
}

const zip = (...args: string[]) => execFileSync('python3', ['-m', 'zipfile', ...args])

export const bundlers = (): Row[] => [
  row(`esbuild ${versionOf('esbuild')}, CommonJS`, [
    ...esbuild,
    ...['xor.mjs', '--external:galvani', '--outfile=built/xor.cjs'],
  ]),
  row(
    `esbuild ${versionOf('esbuild')}, ES module`,
    [
      ...[...esbuild, 'xor.mjs', '--external:galvani', '--outfile=built/xor.mjs'],
      ...['--format=esm', `--banner:js=${requireInModule}`],
    ],
    'xor.mjs',
  ),
  row(`webpack ${versionOf('webpack')}`, ['node', 'webpack.cjs', tool('webpack')]),
  row(
    `rollup ${versionOf('rollup')}`,
    [...rollup, 'xor.mjs', '-e', 'galvani,node:crypto,node:fs', '-f', 'esm', '-o', 'built/xor.mjs'],
    'xor.mjs',
  ),
  row(`vite ${versionOf('vite')}, SSR`, vite, 'xor.mjs'),
  row(
    `Bun ${versionOf('@oven/bun-linux-x64')}, for Node`,
    [bun, 'build', 'xor.mjs', '--target=node', '--external=galvani', '--outfile=built/xor.mjs'],
    'xor.mjs',
  ),
  { title: `esbuild ${versionOf('esbuild')}, the package in the bundle, GALVANI_ADDON`, run: runBundledWhole },
  { title: 'a zip as for AWS Lambda', run: runInLambda },
]
