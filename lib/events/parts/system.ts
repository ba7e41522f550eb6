/** How the process is: its memory, its processors, and the delay of its event loop. */
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks'
import { backendInfo } from '../../backend/active.ts'
import type { Part, Recording } from '../recording.ts'

/** Between two records. */
const leastMilliseconds = 1000

/** How often the delay is measured, in milliseconds, which are part of what is measured. */
const resolution = 10

export class System implements Part {
  #delay: IntervalHistogram | undefined
  #since = 0
  #used = process.cpuUsage()

  begin(): void {
    this.#delay = monitorEventLoopDelay({ resolution })
    this.#delay.enable()
    this.#mark()
  }

  #mark(): void {
    this.#delay?.reset()
    this.#since = performance.now()
    this.#used = process.cpuUsage()
  }

  batch(recording: Recording): void {
    if (performance.now() - this.#since >= leastMilliseconds) this.#write(recording)
  }

  close(recording: Recording): void {
    if (this.#delay === undefined) return
    this.#write(recording)
    this.#delay.disable()
    this.#delay = undefined
  }

  #write(recording: Recording): void {
    const { user, system } = process.cpuUsage(this.#used)
    const microseconds = 1000 * (performance.now() - this.#since)
    const p99 = this.#delay!.count === 0 ? 0 : this.#delay!.percentile(99) / 1e6
    recording.write({
      type: 'system',
      ...recording.place(),
      rss: process.memoryUsage.rss(),
      eventLoopDelay: Math.max(0, p99 - resolution),
      processors: microseconds === 0 ? 0 : (user + system) / microseconds,
      threads: backendInfo().threads,
    })
    this.#mark()
  }
}
