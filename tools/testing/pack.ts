/** `npm pack` as in a fresh clone, which holds what git tracks and nothing that was built. Arguments: a folder for the tarball. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const destination = resolve(process.argv[2] ?? '.')
const clone = mkdtempSync(join(tmpdir(), 'galvani-clone-'))
try {
  execFileSync('git', ['checkout-index', '--all', `--prefix=${clone}/`], { cwd: root })
  symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'))
  execFileSync('npm', ['pack', '--silent', '--pack-destination', destination], { cwd: clone, stdio: 'inherit' })
} finally {
  rmSync(clone, { recursive: true, force: true })
}
