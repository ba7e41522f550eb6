/** The recordings that one compiled function keeps, and the warning where it makes new ones all the time. */
import { activeBackend } from '../backend/active.ts'
import { RecentlyUsed } from '../base/recently-used.ts'
import { release } from '../runtime/execution.ts'
import { PreparedGraphs } from '../runtime/prepared.ts'
import { prepareAmong, type Recording, type Traced, tracedWith } from './recording.ts'

/**
 * How many recordings a compiled function keeps; the one that was used longest ago goes first. Enough for sequences whose
 * lengths are cut into buckets, and still some 100 MB for the training step of a deep network, of 0.8 MB each.
 */
export const mostRecordings = 128

/** Recordings are dropped and made anew all the time where at least one call in so many makes one. */
const fewCalls = 8

const isOfActiveBackend = ({ graph }: Traced): boolean => graph.chosen === activeBackend()

const isCurrent = (traced: Traced): boolean => isOfActiveBackend(traced) && traced.guards.every((holds) => holds())

export class Recordings {
  readonly #name: string
  /** By signature; those of one differ in their guards. */
  readonly #kept = new RecentlyUsed<string, Traced>(mostRecordings, (traced) => this.#drop(traced))
  /** By structure: a signature with another number is recorded anew, and finds its program here. */
  readonly #prepared = new PreparedGraphs(mostRecordings)
  /** How many calls there were, and how many of them made a recording, since last that was looked at. */
  #calls = 0
  #made = 0
  #hasWarned = false

  /** @param name what the warning calls the function; a text without characters where it has no name */
  constructor(name: string) {
    this.#name = name
  }

  get size(): number {
    return this.#kept.size
  }

  /** The one for a call. */
  find(signature: string): Traced | undefined {
    this.#calls++
    return this.#kept.find(signature, isCurrent)
  }

  add(signature: string, recording: Recording): Traced {
    const traced = tracedWith(recording, prepareAmong(this.#prepared, recording))
    this.#made++
    this.#kept.remove(signature, (other) => !isOfActiveBackend(other))
    this.#kept.add(signature, traced)
    return traced
  }

  #drop({ graph }: Traced): void {
    release(graph)
    if (this.#made < mostRecordings) return
    if (this.#calls < fewCalls * this.#made) this.#warn()
    this.#calls = 0
    this.#made = 0
  }

  #warn(): void {
    if (this.#hasWarned) return
    this.#hasWarned = true
    process.emitWarning(
      `galvani: the compiled function${this.#name && ` ${this.#name}`} was recorded for ${this.#made} signatures in ${this.#calls} calls, and keeps the last ${mostRecordings}: pass a number that changes as a tensor, and pad or batch what differs in shape to a few fixed shapes`,
      { code: 'GALVANI_MANY_SIGNATURES' },
    )
  }
}
