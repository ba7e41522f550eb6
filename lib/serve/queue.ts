/** The rows that wait for their batch, in the order in which they are to be computed. */

/** What waits: it is in one queue at a time. */
export class Waiting<T> {
  /** The neighbours in its line. */
  before: Waiting<T> | null = null
  after: Waiting<T> | null = null
  line: Line<T> | null = null

  /**
   * @param rank when it came, less what its priority is worth: the least is next
   * @param kind which others it may be computed with
   */
  constructor(
    readonly value: T,
    readonly rank: number,
    readonly priority: number,
    readonly kind: string,
  ) {}
}

/** Those of one kind and priority, in the order of their coming: a doubly linked list, so that any of them may leave. */
class Line<T> {
  first: Waiting<T> | null = null
  last: Waiting<T> | null = null

  constructor(readonly kind: Kind<T>) {}

  push(item: Waiting<T>): void {
    item.line = this
    item.before = this.last
    if (this.last === null) this.first = item
    else this.last.after = item
    this.last = item
  }

  remove(item: Waiting<T>): void {
    if (item.before === null) this.first = item.after
    else item.before.after = item.after
    if (item.after === null) this.last = item.before
    else item.after.before = item.before
    item.before = item.after = item.line = null
  }
}

/** Those that may be computed together: a line for each priority. */
class Kind<T> {
  readonly lines = new Map<number, Line<T>>()
  size = 0

  /** The one that is next. */
  get first(): Waiting<T> | null {
    let next: Waiting<T> | null = null
    for (const { first } of this.lines.values())
      if (first !== null && (next === null || first.rank < next.rank)) next = first
    return next
  }
}

/**
 * A queue with priorities in which nobody starves: what a priority is worth is a time, by which others have to have come earlier to be
 * before it.
 */
export class WaitingQueue<T> {
  readonly #kinds = new Map<string, Kind<T>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  add(item: Waiting<T>): void {
    const kind = this.#kinds.get(item.kind) ?? new Kind<T>()
    this.#kinds.set(item.kind, kind)
    const line = kind.lines.get(item.priority) ?? new Line(kind)
    kind.lines.set(item.priority, line)
    line.push(item)
    kind.size++
    this.#size++
  }

  /** @returns whether it was there */
  remove(item: Waiting<T>): boolean {
    const { line } = item
    if (line === null) return false
    line.remove(item)
    line.kind.size--
    this.#size--
    // Kinds are as many as there are lengths of rows: those that nobody waits in are let go.
    if (line.kind.size === 0) this.#kinds.delete(item.kind)
    return true
  }

  /** The kind of the next one, how many of it wait, and the next one itself; null where nobody waits. */
  next(): { readonly first: Waiting<T>; readonly size: number } | null {
    let found: { first: Waiting<T>; size: number } | null = null
    for (const { first, size } of this.#kinds.values())
      if (first !== null && (found === null || first.rank < found.first.rank)) found = { first, size }
    return found
  }

  /** Takes out up to so many of a kind, in their order. */
  take(kindOf: string, most: number): T[] {
    const taken: T[] = []
    const kind = this.#kinds.get(kindOf)
    if (kind === undefined) return taken
    for (let next = kind.first; next !== null && taken.length < most; next = kind.first) {
      this.remove(next)
      taken.push(next.value)
    }
    return taken
  }

  /** Takes out all of them. */
  clear(): T[] {
    return [...this.#kinds].flatMap(([name, { size }]) => this.take(name, size))
  }
}
