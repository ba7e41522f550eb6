/** Where the package stands on disk, in sources as in dist. */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The URL of this module; undefined where a bundler left none. */
export function moduleUrl(): string | undefined {
  try {
    return import.meta.url
  } catch {
    // What `import.meta.url` is built to names a variable of CommonJS, which an ES module made of it lacks.
    return undefined
  }
}

/** The folder of the package that this module is part of; undefined where it was bundled into another one. */
export function packageRoot(): string | undefined {
  const url = moduleUrl()
  if (url === undefined || !url.startsWith('file:')) return undefined
  for (let folder = dirname(fileURLToPath(url)); ; folder = dirname(folder)) {
    if (isGalvani(manifestIn(folder))) return folder
    if (folder === dirname(folder)) return undefined
  }
}

/** What package.json of a folder says: other people's may be anything, or not be there. */
function manifestIn(folder: string): unknown {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  } catch {
    return undefined
  }
}

/** A project of that name, which uses the package, lists it. */
function isGalvani(manifest: unknown): boolean {
  if (typeof manifest !== 'object' || manifest === null) return false
  const { name, dependencies } = manifest as { name?: unknown; dependencies?: object | null }
  return name === 'galvani' && !(typeof dependencies === 'object' && dependencies !== null && 'galvani' in dependencies)
}
