/** Streams of what files hold, which is read in groups of elements: lines of a block, rows of a row group. */
import { basename } from 'node:path'
import { DataFormatError, expected } from '../../base/errors.ts'
import { turnIfDue } from '../../base/turns.ts'
import { type Cursor, done, type Json, type Stage, savedAs } from '../stage.ts'
import { Stream } from '../stream.ts'

/** Elements that were read together, and where reading may begin to have them again. */
export interface Group<T> {
  readonly start: Json
  readonly elements: ArrayLike<T>
}

/** Reads the groups from the first on, or from where one began. What it has open it closes in `finally`. */
export type ReadGroups<T> = (start: Json | undefined) => AsyncGenerator<Group<T>, void>

/** Where a pass stands: in a group, after some of its elements. */
type Position = { readonly start: Json; readonly given: number } | null

class GroupCursor<T> implements Cursor<T> {
  readonly #groups: AsyncGenerator<Group<T>, void>
  #group: Group<T> | undefined
  /** How many of the group were given; before it is read, those that were given by an earlier pass. */
  #given: number
  readonly #saved: Position

  constructor(read: ReadGroups<T>, saved: Position) {
    this.#groups = read(saved?.start)
    this.#saved = saved
    this.#given = saved?.given ?? 0
  }

  async next(): Promise<IteratorResult<T, undefined>> {
    const due = turnIfDue()
    if (due !== undefined) await due
    while (this.#group === undefined || this.#given >= this.#group.elements.length) {
      const next = await this.#groups.next()
      if (next.done) return done
      if (this.#group !== undefined) this.#given -= this.#group.elements.length
      this.#group = next.value
    }
    return { done: false, value: this.#group.elements[this.#given++] as T }
  }

  position(): Position {
    return this.#group === undefined ? this.#saved : { start: this.#group.start, given: this.#given }
  }

  async close(): Promise<void> {
    await this.#groups.return()
  }
}

/**
 * The stream of a file. Its name, without the folder, is part of what a saved state is of, as `options` are that change its elements.
 */
export function streamOfGroups<T>(
  op: string,
  path: string,
  options: string | undefined,
  read: ReadGroups<T>,
  size?: number,
): Stream<T> {
  const stage: Stage<T> = {
    name: `${op}(${[basename(path), ...(options === undefined ? [] : [options])].join(', ')})`,
    parents: [],
    batched: false,
    reordered: false,
    size,
    open: (_, position) => new GroupCursor(read, savedAs<NonNullable<Position>>(position) ?? null),
  }
  return new Stream(stage)
}

/** @throws DataFormatError that says where in a file it was met */
export function failIn(op: string, what: string, got: string, path: string, place?: string): never {
  throw new DataFormatError(`${expected(op, what, got)} (${path}${place === undefined ? '' : `, ${place}`})`)
}
