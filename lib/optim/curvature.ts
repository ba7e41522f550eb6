/** What L-BFGS remembers: how the gradient changed along its last steps, and the direction that follows from it. */

export const dot = (a: Float64Array, b: Float64Array): number => {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

export const largest = (x: Float64Array): number => {
  let found = 0
  for (let i = 0; i < x.length; i++) found = Math.max(found, Math.abs(x[i]!))
  return found
}

/** a + scale · b */
export const plus = (a: Float64Array, b: Float64Array, scale: number): Float64Array =>
  a.map((x, i) => x + scale * b[i]!)

/** Below it, a step has met no curvature that is worth remembering. */
const leastCurvature = 1e-10

export class Curvature {
  readonly #size: number
  /** A step, and the change of the gradient along it, the oldest first. */
  #pairs: (readonly [step: Float64Array, change: Float64Array])[] = []
  #scale = 1

  /** @param size how many steps it remembers */
  constructor(size: number) {
    this.#size = size
  }

  get pairs(): readonly (readonly [step: Float64Array, change: Float64Array])[] {
    return this.#pairs
  }

  get scale(): number {
    return this.#scale
  }

  restore(pairs: readonly (readonly [Float64Array, Float64Array])[], scale: number): void {
    this.#pairs = [...pairs]
    this.#scale = scale
  }

  remember(step: Float64Array, change: Float64Array): void {
    const curvature = dot(change, step)
    if (!(curvature > leastCurvature)) return
    if (this.#pairs.length === this.#size) this.#pairs.shift()
    this.#pairs.push([step, change])
    this.#scale = curvature / dot(change, change)
  }

  /** Downhill from a gradient: the recursion of two loops, Nocedal & Wright (2006), algorithm 7.4. */
  direction(gradient: Float64Array): Float64Array {
    let q: Float64Array = gradient.map((x) => -x)
    const shares: number[] = []
    for (const [step, change] of this.#pairs.toReversed()) {
      const share = dot(step, q) / dot(change, step)
      shares.unshift(share)
      q = plus(q, change, -share)
    }
    let r: Float64Array = q.map((x) => x * this.#scale)
    this.#pairs.forEach(([step, change], i) => {
      r = plus(r, step, shares[i]! - dot(change, r) / dot(change, step))
    })
    return r
  }
}
