/** A bounded number of things, each under a key that several may share; the one that was used longest ago goes first. */
export class RecentlyUsed<K, T> {
  readonly #limit: number
  readonly #drop: (thing: T) => void
  readonly #byKey = new Map<K, T[]>()
  /** The key of each; a map keeps the order of insertion, so what was used last stands at the end. */
  readonly #keys = new Map<T, K>()
  #last: T | undefined

  /** `drop` is called for each thing that goes. */
  constructor(limit: number, drop: (thing: T) => void) {
    this.#limit = limit
    this.#drop = drop
  }

  get size(): number {
    return this.#keys.size
  }

  /** The first under the key that fits; it counts as used. */
  find(key: K, fits: (thing: T) => boolean): T | undefined {
    const found = this.#byKey.get(key)?.find(fits)
    if (found !== undefined && found !== this.#last) {
      this.#keys.delete(found)
      this.#keys.set(found, key)
      this.#last = found
    }
    return found
  }

  add(key: K, thing: T): void {
    const others = this.#byKey.get(key)
    if (others === undefined) this.#byKey.set(key, [thing])
    else others.push(thing)
    this.#keys.set(thing, key)
    this.#last = thing
    const [oldest] = this.#keys
    if (this.#keys.size > this.#limit && oldest !== undefined) this.remove(oldest[1], (other) => other === oldest[0])
  }

  /** Drops those under a key that are unwanted. */
  remove(key: K, isUnwanted: (thing: T) => boolean): void {
    const under = this.#byKey.get(key)
    if (under === undefined || !under.some(isUnwanted)) return
    const rest = under.filter((thing) => !isUnwanted(thing))
    if (rest.length > 0) this.#byKey.set(key, rest)
    else this.#byKey.delete(key)
    for (const thing of under) {
      if (rest.includes(thing)) continue
      this.#keys.delete(thing)
      this.#drop(thing)
    }
  }
}
