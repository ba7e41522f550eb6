/**
 * The models of a folder, `<model>/<version>/…`: what is new is loaded, warmed up and put in the place of what was served; what is
 * broken is said, and the old one serves on.
 */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
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
  /** By name and version, for `handler`. */
  readonly models: Record<string, Record<string, Predictor>> = {}
  /** The state with which each was loaded or refused. */
  readonly #settled = new Map<string, string>()
  /** The state at the last look: a folder that is still being written is another one at the next. */
  #before = new Map<string, string>()
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
    await this.#look(await this.#find(), () => true)
    this.#wait()
    return this
  }

  #wait(): void {
    if (this.#isClosed) return
    this.#timer = setTimeout(() => {
      this.#looking = this.#lookAgain()
        // Such as an error of onChange, for which nobody waits.
        .catch((error: Error) => process.emitWarning(error))
        .finally(() => this.#wait())
    }, this.poll)
    this.#timer.unref()
  }

  async #lookAgain(): Promise<void> {
    const found = await this.#find().catch(() => undefined)
    // A folder that cannot be read at the moment takes no model away.
    if (found === undefined) return
    await this.#look(found, (version) => this.#before.get(keyOf(version)) === version.state)
    this.#before = new Map(found.map((version) => [keyOf(version), version.state]))
  }

  async #look(found: readonly FoundVersion[], isWhole: (version: FoundVersion) => boolean): Promise<void> {
    const wanted = newestOf(found, this.versions)
    for (const version of wanted) {
      if (this.#isClosed) return
      if (this.#settled.get(keyOf(version)) !== version.state && isWhole(version)) await this.#load(version)
    }
    await this.#unload(found, wanted)
  }

  async #load(found: FoundVersion): Promise<void> {
    const { model, version, state } = found
    this.#settled.set(keyOf(found), state)
    try {
      const shared = await optionsIn(join(this.folder, model, 'serve.json'))
      const made = await loadVersion(join(this.folder, model, version), shared)
      if (this.#isClosed) return await made.close()
      const old = this.models[model]?.[version]
      this.models[model] = { ...this.models[model], [version]: made }
      this.onChange({ model, version, change: 'loaded' })
      // Requests find the new one from now on; those that are with the old one are answered.
      await old?.close()
    } catch (error) {
      this.onChange({ model, version, change: 'refused', error })
    }
  }

  /** Takes away what is no longer there, or older than as many as are served: not before a newer one serves. */
  async #unload(found: readonly FoundVersion[], wanted: readonly FoundVersion[]): Promise<void> {
    const [there, kept] = [found, wanted].map((list) => new Set(list.map(keyOf))) as [Set<string>, Set<string>]
    for (const [model, versions] of Object.entries(this.models)) {
      const served = Object.keys(versions).toSorted(byNumber)
      for (const version of served) {
        const key = `${model}/${version}`
        const isReplaced = served.filter((other) => Number(other) > Number(version)).length >= this.versions
        if (kept.has(key) || (there.has(key) && !isReplaced)) continue
        const { [version]: old, ...rest } = this.models[model]!
        if (Object.keys(rest).length === 0) delete this.models[model]
        else this.models[model] = rest
        this.#settled.delete(key)
        this.onChange({ model, version, change: 'unloaded' })
        await old!.close()
      }
    }
  }

  async #find(): Promise<FoundVersion[]> {
    const found: FoundVersion[] = []
    for (const model of await foldersIn(this.folder)) {
      const shared = await stateOf(join(this.folder, model), ['serve.json'])
      for (const version of await foldersIn(join(this.folder, model)).catch(() => [])) {
        if (!/^\d{1,15}$/.test(version)) continue
        const own = await stateOf(join(this.folder, model, version)).catch(() => undefined)
        if (own !== undefined) found.push({ model, version, state: `${shared}\n${own}` })
      }
    }
    return found
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

async function foldersIn(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true })
    return entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.')).map(({ name }) => name)
  } catch (error) {
    throw fileError('serve', 'read', folder, error)
  }
}

/** The names, sizes and times of files, as a text. */
async function stateOf(folder: string, names?: readonly string[]): Promise<string> {
  const files = names ?? (await readdir(folder)).toSorted()
  const states = await Promise.all(
    files.map((name) =>
      stat(join(folder, name)).then(
        ({ size, mtimeMs }) => `${name} ${size} ${mtimeMs}`,
        () => `${name} -`,
      ),
    ),
  )
  return states.join('\n')
}
