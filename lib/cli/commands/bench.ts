/** `galvani bench`: what this machine does, beside what it could do at best. */
import type { Command } from 'commander'
import '../../operations/methods.ts'
import { backendInfo } from '../../backend/active.ts'
import { benchmark, type Measured } from '../bench/measure.ts'
import { workloads } from '../bench/workloads.ts'
import { tableOf } from '../text-table.ts'

const digits = (x: number): string => (x >= 1000 ? x.toFixed(0) : String(Number(x.toPrecision(3))))

const rowOf = ({ kind, title, microseconds, limitMicroseconds, gigaflops, gigabytesPerSecond }: Measured): string[] => [
  kind === 'kernel' ? title : `step of ${title}`,
  digits(microseconds),
  digits(limitMicroseconds),
  `${((100 * limitMicroseconds) / microseconds).toFixed(0)}%`,
  digits(gigaflops),
  digits(gigabytesPerSecond),
]

export function configure(command: Command): void {
  command.option('--json', 'the same as JSON').action(async ({ json }: { json?: true }) => {
    const { backend, isa, threads } = backendInfo()
    const { measured, gigaflops, gigabytesPerSecond } = await benchmark(workloads())
    if (json)
      return console.log(JSON.stringify({ backend, isa, threads, gigaflops, gigabytesPerSecond, measured }, null, 2))
    const [caches, memory] = gigabytesPerSecond.map(digits)
    const head = ['', 'µs', 'limit', 'reached', 'GFLOP/s', 'GB/s']
    const lines = [
      `${backend} ${isa}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
      `at best ${digits(gigaflops)} GFLOP/s, and copies of ${memory} GB/s, ${caches} in caches`,
      ...tableOf(head, measured.map(rowOf)),
    ]
    console.log(lines.join('\n'))
  })
}
