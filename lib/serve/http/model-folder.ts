/**
 * The models of a folder, `<model>/<version>/…`: what is new is loaded, warmed up and put in the place of what was served; what is
 * broken is said, and the old one serves on.
 */
import type { Stats } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { tell, warnOf } from '../../base/warning.ts'
import { fileError } from '../../files/file-error.ts'
import type { Predictor } from '../predictor.ts'
import { loadVersion, optionsIn } from './load-version.ts'

/** What has happened to a version. */
export interface ModelChange {
  readonly model: string
  readonly version: string
  readonly change: 'loaded' | 'unloaded' | 'refused'
  /** Why it was refused. */
  readonly error?: unknown
}

interface FoundVersion {
  readonly model: string
  readonly version: string
  /** Changes whenever a file in it does. */
  readonly state: string
}

const keyOf = ({ model, version }: FoundVersion) => `${model}/${version}`

export class ModelFolder {
  /** By name and version, for `handler`. Of no prototype, as a folder may be called anything. */
  readonly models: Record<string, Record<string, Predictor>> = Object.create(null)
  /** The state with which each was loaded or refused. */
  readonly #settled = new Map<string, string>()
  /** What was there at the last look: a folder that is still being written is another one at the next. */
  #found: readonly FoundVersion[] = []
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(
    private readonly folder: string,
    /** How many of the newest versions of a model are served. */
    private readonly versions: number,
    /** Milliseconds between two looks. */
    private readonly poll: number,
    private readonly onChange: (change: ModelChange) => void,
  ) {}

  /** Loads what is there, and looks for changes from then on. */
  async open(): Promise<this> {
    this.#found = await this.#find()
    await this.#look(() => true)
    this.#wait()
    return this
  }

  #wait(): void {
    if (this.#isClosed) return
    this.#timer = setTimeout(() => {
      this.#looking = this.#lookAgain()
        .catch(warnOf)
        .finally(() => this.#wait())
    }, this.poll)
    this.#timer.unref()
  }

  async #lookAgain(): Promise<void> {
    const before = new Map(this.#found.map((version) => [keyOf(version), version.state]))
    const found = await this.#find().catch(() => undefined)
    // A folder that cannot be read at the moment takes no model away.
    if (found === undefined) return
    this.#found = found
    await this.#look((version) => before.get(keyOf(version)) === version.state)
  }

  async #look(isWhole: (version: FoundVersion) => boolean): Promise<void> {
    const wanted = newestOf(this.#found, this.versions)
    for (const version of wanted) {
      if (this.#isClosed) return
      if (!this.#isSettled(version) && isWhole(version)) await this.#load(version)
    }
    await this.#unload(wanted)
  }

  #isSettled = (version: FoundVersion): boolean => this.#settled.get(keyOf(version)) === version.state

  async #load(found: FoundVersion): Promise<void> {
    const { model, version, state } = found
    this.#settled.set(keyOf(found), state)
    try {
      const shared = await optionsIn(join(this.folder, model, 'serve.json'))
      const made = await loadVersion(join(this.folder, model, version), shared)
      if (this.#isClosed) return await made.close()
      const old = this.models[model]?.[version]
      this.models[model] = { ...this.models[model], [version]: made }
      tell(this.onChange, { model, version, change: 'loaded' })
      // Requests find the new one from now on; those that are with the old one are answered.
      await old?.close()
    } catch (error) {
      tell(this.onChange, { model, version, change: 'refused', error })
    }
  }

  /** Takes away what is no longer there, or older than as many as are served: not before a newer one serves. */
  async #unload(wanted: readonly FoundVersion[]): Promise<void> {
    const [there, kept] = [this.#found, wanted].map((list) => new Set(list.map(keyOf))) as [Set<string>, Set<string>]
    // What was refused and comes back is looked at anew.
    for (const key of this.#settled.keys()) if (!there.has(key)) this.#settled.delete(key)
    const awaited = new Set(wanted.filter((version) => !this.#isSettled(version)).map(({ model }) => model))
    for (const [model, versions] of Object.entries(this.models)) {
      const served = Object.keys(versions).toSorted(byNumber)
      for (const version of served) {
        const key = `${model}/${version}`
        const isReplaced = served.filter((other) => Number(other) > Number(version)).length >= this.versions
        if (kept.has(key) || (!isReplaced && (there.has(key) || awaited.has(model)))) continue
        await this.#take(model, version)
      }
    }
  }

  async #take(model: string, version: string): Promise<void> {
    const { [version]: old, ...rest } = this.models[model]!
    if (Object.keys(rest).length === 0) delete this.models[model]
    else this.models[model] = rest
    this.#settled.delete(`${model}/${version}`)
    tell(this.onChange, { model, version, change: 'unloaded' })
    await old!.close()
  }

  async #find(): Promise<FoundVersion[]> {
    const models = await foldersIn(this.folder).catch((error: Error) => {
      throw fileError('serve', 'read', this.folder, error)
    })
    const found: FoundVersion[] = []
    // One that cannot be read at the moment, as too many files are open, is what it was.
    for (const model of models)
      found.push(...(await this.#versionsOf(model).catch(() => this.#found.filter((before) => before.model === model))))
    return found
  }

  async #versionsOf(model: string): Promise<FoundVersion[]> {
    const folder = join(this.folder, model)
    const shared = await stateOf(folder, ['serve.json'])
    const versions = (await foldersIn(folder)).filter((name) => /^\d{1,15}$/.test(name))
    return Promise.all(
      versions.map(async (version) => {
        const own = join(folder, version)
        return { model, version, state: `${shared}\n${await stateOf(own, (await readdir(own)).toSorted())}` }
      }),
    )
  }

  /** Answers what waits, and settles when nothing is served or looked for any more. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    await this.#looking
    await Promise.all(
      Object.values(this.models).flatMap((versions) => Object.values(versions).map((each) => each.close())),
    )
  }
}

const byNumber = (a: string, b: string) => Number(a) - Number(b)

/** So many of the greatest versions of each model, the oldest first. */
function newestOf(found: readonly FoundVersion[], count: number): FoundVersion[] {
  const names = [...new Set(found.map(({ model }) => model))]
  return names.flatMap((name) =>
    found
      .filter(({ model }) => model === name)
      .toSorted((a, b) => byNumber(a.version, b.version))
      .slice(-count),
  )
}

/** Also those that links lead to. */
async function foldersIn(folder: string): Promise<string[]> {
  const entries = (await readdir(folder, { withFileTypes: true })).filter(({ name }) => !name.startsWith('.'))
  const areFolders = await Promise.all(
    entries.map(async (entry) => {
      if (!entry.isSymbolicLink()) return entry.isDirectory()
      return (await statIfThere(join(folder, entry.name)))?.isDirectory() ?? false
    }),
  )
  return entries.filter((_, i) => areFolders[i]).map(({ name }) => name)
}

/** The names, sizes, times and numbers of files, as a text: a file may be replaced by one of the same size and time. */
async function stateOf(folder: string, names: readonly string[]): Promise<string> {
  const states = await Promise.all(
    names.map(async (name) => {
      const found = await statIfThere(join(folder, name))
      return found === undefined ? `${name} -` : `${name} ${found.size} ${found.mtimeMs} ${found.ino}`
    }),
  )
  return states.join('\n')
}

/** What a path leads to nothing by: it is missing, goes through a file, or is a link in a circle. */
const leadsNowhere = ['ENOENT', 'ENOTDIR', 'ELOOP']

async function statIfThere(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path)
  } catch (error) {
    if (leadsNowhere.includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}
