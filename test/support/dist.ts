/** The built library, for tests of it. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Builds it unless it is there, whatever its age. */
export function buildUnlessThere(): void {
  if (!existsSync(`${root}/dist`)) execFileSync('npm', ['run', 'build:js'], { cwd: root })
}
