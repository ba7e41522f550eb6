/** npm, as far as packages are made and looked at by it. */
import { execFileSync } from 'node:child_process'

export interface Packed {
  readonly name: string
  readonly version: string
  readonly filename: string
  /** Bytes of the tarball. */
  readonly size: number
  readonly unpackedSize: number
  readonly integrity: string
  readonly shasum: string
  readonly files: readonly { readonly path: string; readonly size: number }[]
}

/** What `npm pack` makes, or with `--dry-run` would make, of a folder or tarball; no scripts run. */
export function npmPack(cwd: string, ...args: string[]): Packed {
  const command = ['pack', '--json', '--ignore-scripts', '--offline', ...args]
  const output = execFileSync('npm', command, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
  return JSON.parse(output)[0]
}
