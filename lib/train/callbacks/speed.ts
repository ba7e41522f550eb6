/** How fast an epoch goes of late. */
import type { BatchInfo } from '../events.ts'

/** Three seconds, as something is told at most every 50 ms. */
const mostMoments = 60

interface Moment extends Pick<BatchInfo, 'step' | 'samples'> {
  readonly milliseconds: number
}

export class Speed {
  #moments: Moment[] = []

  add({ step, samples }: Pick<BatchInfo, 'step' | 'samples'>): void {
    this.#moments = [...this.#moments.slice(1 - mostMoments), { step, samples, milliseconds: performance.now() }]
  }

  get samplesPerSecond(): number | undefined {
    return this.#rateOf('samples')
  }

  /** Until so many steps are done; undefined where that is not known, or not yet. */
  secondsTo(steps: number): number | undefined {
    const rate = this.#rateOf('step')
    return rate === undefined || !Number.isFinite(steps) ? undefined : (steps - this.#moments.at(-1)!.step) / rate
  }

  /** Of the moments that are kept. The first is no beginning, as an epoch may have been resumed in its midst. */
  #rateOf(name: 'step' | 'samples'): number | undefined {
    const [first, last] = [this.#moments[0], this.#moments.at(-1)]
    if (first === undefined || last === undefined || last.milliseconds <= first.milliseconds) return undefined
    return (1000 * (last[name] - first[name])) / (last.milliseconds - first.milliseconds)
  }
}
