/**
 * Installs the tarball in an empty project, as a user does, without scripts and without a network, and trains XOR there by the
 * addon in it. Arguments: the tarball; that of build/package unless given.
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
} finally {
  rmSync(project, { recursive: true, force: true })
}
