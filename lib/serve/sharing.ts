/** Versions of parameters as time goes by: what one thread publishes and others follow, without keeping the event loop of either. */
import { atOnce, inTurns } from '../base/turns.ts'
import { warnOf } from '../base/warning.ts'
import type { Storage } from '../graph/node.ts'
import {
  type ReadVersion,
  type SharedParameter,
  type SharedParameters,
  type SharedReader,
  SharedWriter,
} from './shared-parameters.ts'

interface Published {
  readonly version: number
  /** Nobody changes what is in them any more. */
  readonly storages: readonly Storage[]
}

export class Publisher {
  readonly #writer: SharedWriter
  #next: Published | undefined
  #isWriting = false

  constructor(parameters: readonly SharedParameter[]) {
    this.#writer = new SharedWriter(parameters)
  }

  get shared(): SharedParameters {
    return this.#writer.shared
  }

  /** What is computed and small is there at once; of what comes while another version is written the newest is next. */
  publish(next: Published): void {
    this.#next = next
    if (!this.#isWriting) void this.#writeAll()
  }

  async #writeAll(): Promise<void> {
    this.#isWriting = true
    for (let next = this.#next; next !== undefined; next = this.#next) {
      this.#next = undefined
      const { version, storages } = next
      for (const { pending } of storages) if (pending !== null) await pending
      await inTurns(this.#writer.write({ version, arrays: storages.map(({ array }) => array) }))
    }
    this.#isWriting = false
  }
}

/**
 * Gives `take` the newest version, and whenever there is another one that.
 * @returns ends it
 */
export function followShared(reader: SharedReader, take: (found: ReadVersion) => void): () => void {
  let isOn = true
  const takeIf = (found: ReadVersion | null) => {
    if (isOn && found !== null) take(found)
  }
  const goOn = async () => {
    while (isOn) {
      await reader.changed()
      // There may be no memory for a version: the one before stays.
      if (isOn) await inTurns(reader.read()).then(takeIf).catch(warnOf)
    }
  }
  takeIf(atOnce(reader.read()))
  void goOn()
  return () => {
    isOn = false
    reader.wake()
  }
}
