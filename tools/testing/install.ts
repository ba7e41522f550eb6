/** Installs the tarball in an empty project, as a user does, and trains XOR there. Arguments: the tarball. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { checkXor, copyXor } from './xor.ts'

const [given] = process.argv.slice(2)
if (given === undefined) throw new Error('install: expected a tarball, got none')
const tarball = resolve(given)
const project = mkdtempSync(join(tmpdir(), 'galvani-project-'))

const inProject = (command: string, ...args: string[]) =>
  execFileSync(command, args, { cwd: project, stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' })
try {
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'project', private: true }))
  console.log(inProject('npm', 'install', '--no-audit', '--no-fund', '--loglevel', 'error', tarball))
  copyXor(project)
  for (const file of ['xor.mjs', 'xor.cjs']) console.log(file, checkXor(inProject('node', file)))
} finally {
  rmSync(project, { recursive: true, force: true })
}
