/** Whether what was built is older than what it is built from. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** When a file, or the latest of a folder, was written last; never, where there is none. */
function modified(path: string): number {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (!stat) return Number.NEGATIVE_INFINITY
  if (!stat.isDirectory()) return stat.mtimeMs
  return Math.max(...readdirSync(path).map((name) => modified(join(path, name))))
}

/** Paths are relative to `root`. */
export const isStale = (root: string, output: string, sources: readonly string[]): boolean =>
  modified(join(root, output)) < Math.max(...sources.map((source) => modified(join(root, source))))
