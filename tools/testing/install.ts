/**
 * Installs the tarball in an empty project, as a user does, without scripts and without a network, trains XOR there by the
 * addon in it, and has the command make a project, train it and use what came of it. Arguments: the tarball; that of build/package unless given.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { checkXor, copyXor } from './xor.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const tarball = resolve(process.argv[2] ?? join(root, 'build', 'package', `${name}-${version}.tgz`))
const project = mkdtempSync(join(tmpdir(), 'galvani-project-'))
// On Windows npm is a script, which a shell alone runs.
const inProject = (command: string, ...args: string[]) =>
  execFileSync(command, args, {
    cwd: project,
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
    shell: process.platform === 'win32',
  })
try {
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'project', private: true }))
  const quietly = ['--no-audit', '--no-fund', '--loglevel', 'error']
  console.log(inProject('npm', 'install', '--ignore-scripts', '--offline', ...quietly, tarball))
  copyXor(project)
  for (const file of ['xor.mjs', 'xor.cjs']) console.log(file, checkXor(inProject('node', file)))
  const galvani = (...args: string[]) => inProject('npx', '--offline', 'galvani', ...args)
  galvani('new', 'spirals')
  const model = galvani('train', 'spirals/train.config.ts', '--out', 'run').trim()
  const { scores } = JSON.parse(galvani('evaluate', 'run', '--json'))
  if (!(scores.accuracy > 0.9)) throw new Error(`install: expected an accuracy above 0.9, got ${scores.accuracy}`)
  const predictions = galvani('predict', 'run', 'spirals/data/new.csv').trim().split('\n')
  if (predictions.length !== 4) throw new Error(`install: expected a line for each of 3 rows, got ${predictions}`)
  console.log(model, scores, galvani('export', 'run', '--out', 'model.onnx').trim())
} finally {
  rmSync(project, { recursive: true, force: true })
}
