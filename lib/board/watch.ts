/** Waits until files change, as far as the system tells; or for some time, as not all systems do. */
import { type FSWatcher, watch } from 'node:fs'
import { dirname } from 'node:path'

/** Each of them takes something of the system's, which is limited. */
const mostFolders = 256

export class Watch {
  readonly #watchers = new Map<string, FSWatcher>()
  #isDue = false
  #wake: (() => void) | undefined
  /** Whether the next pause is none. */
  #isHurried = false

  /** Watches the folders of these files instead of those so far; the last ones, if they are too many. */
  folders(files: readonly string[]): void {
    const folders = new Set(files.slice(-mostFolders).map((path) => dirname(path)))
    for (const [folder, watcher] of this.#watchers) if (!folders.has(folder)) this.#forget(folder, watcher)
    for (const folder of folders) if (!this.#watchers.has(folder)) this.#add(folder)
  }

  #add(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, () => {
        this.#isDue = true
        this.#wake?.()
      })
      watcher.on('error', () => this.#forget(folder, watcher))
      this.#watchers.set(folder, watcher)
    } catch {
      // There are no more, or none here: it is looked at after some time all the same.
    }
  }

  #forget(folder: string, watcher: FSWatcher): void {
    this.#watchers.delete(folder)
    watcher.close()
  }

  /** Settles after `least` milliseconds and a change, or after `most`; keeps no process alive. */
  async pause(least: number, most: number): Promise<void> {
    await this.#sleep(least, false)
    if (!this.#isDue) await this.#sleep(most - least, true)
    this.#isDue = this.#isHurried = false
  }

  #sleep(milliseconds: number, endsByChange: boolean): Promise<void> {
    if (this.#isHurried) return Promise.resolve()
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer)
        resolve()
      }
      const timer = setTimeout(end, milliseconds).unref()
      this.#wake = () => {
        if (endsByChange || this.#isHurried) end()
      }
    })
  }

  /** Ends the pause that is, or the next one. */
  hurry(): void {
    this.#isHurried = true
    this.#isDue = true
    this.#wake?.()
  }

  close(): void {
    for (const [folder, watcher] of this.#watchers) this.#forget(folder, watcher)
    this.hurry()
  }
}
