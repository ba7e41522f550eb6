/**
 * Makes the package as in a fresh clone, which holds what git tracks and nothing that was built, but for the addon of this
 * checkout in the place of prebuilt ones. Arguments: a folder for the tarball.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const destination = resolve(process.argv[2] ?? '.')
const addon = join('build', 'Release', 'galvani.node')
const clone = mkdtempSync(join(tmpdir(), 'galvani-clone-'))
try {
  execFileSync('git', ['checkout-index', '--all', `--prefix=${clone}/`], { cwd: root })
  symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'))
  cpSync(join(root, addon), join(clone, addon), { recursive: true })
  const command = ['run', '--silent', 'package', '--', '--local', '--out', destination]
  execFileSync('npm', command, { cwd: clone, stdio: 'inherit' })
} finally {
  rmSync(clone, { recursive: true, force: true })
}
