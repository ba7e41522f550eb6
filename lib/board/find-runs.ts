/** The runs under a folder: each folder that has files of records in it. */
import type { Dirent } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { turnIfDue } from '../base/turns.ts'
import { recordFilesIn } from './formats.ts'

/** So far below the folder, and so many entries in all, are looked at. */
const deepest = 16
const mostEntries = 200_000
const mostRuns = 10_000

interface Folder {
  readonly path: string
  readonly id: string
  readonly depth: number
}

/**
 * The files of each run by its id, which is the path of its folder under this one, by `/`. Links are not followed, so that nothing outside is
 * read; hidden folders and those that cannot be read are passed over.
 */
export async function findRuns(root: string): Promise<Map<string, string[]>> {
  const runs = new Map<string, string[]>()
  const folders: Folder[] = [{ path: root, id: '.', depth: 0 }]
  let entries = 0
  for (let folder = folders.shift(); folder !== undefined; folder = folders.shift()) {
    const found = await entriesOf(folder.path)
    entries += found.length
    if (entries > mostEntries || runs.size >= mostRuns) break
    const files = recordFilesIn(found.filter((entry) => entry.isFile()).map(({ name }) => name))
    const { path } = folder
    if (files.length > 0)
      runs.set(
        folder.id,
        files.map((name) => join(path, name)),
      )
    if (folder.depth < deepest) folders.push(...foldersIn(folder, found))
    await turnIfDue()
  }
  return runs
}

const entriesOf = (path: string): Promise<Dirent[]> => readdir(path, { withFileTypes: true }).catch(() => [])

const foldersIn = ({ path, id, depth }: Folder, entries: readonly Dirent[]): Folder[] =>
  entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== 'node_modules')
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name }) => ({ path: join(path, name), id: id === '.' ? name : `${id}/${name}`, depth: depth + 1 }))
