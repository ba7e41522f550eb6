// The last transitions between states, in typed arrays, and batches of some of them at random.

import * as g from '../../lib/index.ts'

export class ReplayBuffer {
  readonly #features: number
  readonly #random: () => number
  readonly #states: Float32Array
  readonly #nexts: Float32Array
  readonly #actions: Int32Array
  readonly #rewards: Float32Array
  readonly #goesOn: Float32Array
  #added = 0

  /** @param random gives numbers from 0 to 1 */
  constructor(capacity: number, features: number, random: () => number) {
    this.#features = features
    this.#random = random
    this.#states = new Float32Array(capacity * features)
    this.#nexts = new Float32Array(capacity * features)
    this.#actions = new Int32Array(capacity)
    this.#rewards = new Float32Array(capacity)
    this.#goesOn = new Float32Array(capacity)
  }

  get size(): number {
    return Math.min(this.#added, this.#actions.length)
  }

  /** In place of the oldest transition where it is full. */
  add(state: ArrayLike<number>, action: number, reward: number, next: ArrayLike<number>, isEnd: boolean): void {
    const place = this.#added++ % this.#actions.length
    this.#states.set(state, place * this.#features)
    this.#nexts.set(next, place * this.#features)
    this.#actions[place] = action
    this.#rewards[place] = reward
    this.#goesOn[place] = isEnd ? 0 : 1
  }

  /** As many transitions, each drawn from all: states, actions, rewards, next states, and 0 where the episode ended, else 1. */
  sample(count: number): [g.Tensor, g.Tensor, g.Tensor, g.Tensor, g.Tensor] {
    const places = Array.from({ length: count }, () => Math.floor(this.#random() * this.size))
    const rows = (all: Float32Array): g.Tensor => {
      const chosen = new Float32Array(count * this.#features)
      places.forEach((place, i) => {
        chosen.set(all.subarray(place * this.#features, (place + 1) * this.#features), i * this.#features)
      })
      return g.tensor(chosen, { shape: [count, this.#features] })
    }
    return [
      rows(this.#states),
      g.tensor(Int32Array.from(places, (place) => this.#actions[place]!)),
      g.tensor(Float32Array.from(places, (place) => this.#rewards[place]!)),
      rows(this.#nexts),
      g.tensor(Float32Array.from(places, (place) => this.#goesOn[place]!)),
    ]
  }
}
