/** How long work takes, beside what the machine would need for it at best. */
import { atOnce } from '../../base/turns.ts'
import { machineLimits } from '../../runtime/roofline.ts'
import { evaluateSync } from '../../tensor/tensor.ts'
import { compile } from '../../transforms/compile.ts'
import { type Inspection, inspect } from '../../transforms/inspect.ts'
import type { Workload } from './workloads.ts'

/** Of one workload, before it is compared. */
interface Timed {
  readonly workload: Workload
  readonly inspection: Inspection
  readonly microseconds: number
}

export interface Measured {
  readonly kind: Workload['kind']
  readonly title: string
  /** Of a kernel the median of its instructions; of a step of training that of whole calls, with what each costs beside them. */
  readonly microseconds: number
  /** The sum over the instructions: the longer of the times that arithmetic and memory need. */
  readonly limitMicroseconds: number
  readonly gigaflops: number
  readonly gigabytesPerSecond: number
}

export interface Benchmark {
  /** The most that was seen here. */
  readonly gigaflops: number
  /** Of copies, over as much memory as the smallest workload touches, and the largest. */
  readonly gigabytesPerSecond: readonly [caches: number, memory: number]
  readonly measured: readonly Measured[]
}

export async function benchmark(workloads: readonly Workload[]): Promise<Benchmark> {
  const timed: Timed[] = []
  for (const workload of workloads) {
    timed.push(time(workload))
    // Between two of them a signal is taken.
    await new Promise((done) => setImmediate(done))
  }
  const rateOf = ({ inspection, microseconds }: Timed) => inspection.flops / microseconds / 1000
  // What else the machine does may have slowed down the measuring of the limit.
  const limits = timed.map(({ inspection }) => atOnce(machineLimits(inspection.totalBytes, extent)))
  const gigaflops = Math.max(...limits.map((limit) => limit.gigaflops), ...timed.map(rateOf))
  const bandwidths = limits.map((limit) => limit.gigabytesPerSecond)
  return {
    gigaflops,
    gigabytesPerSecond: [Math.max(...bandwidths), Math.min(...bandwidths)],
    measured: timed.map((each, i) => compared(each, gigaflops, bandwidths[i]!)),
  }
}

function time(workload: Workload): Timed {
  const { kind, inputs, run } = workload
  evaluateSync(...inputs)
  const isKernel = kind === 'kernel'
  const inspection = inspect(run as (...inputs: unknown[]) => unknown, ...inputs, { profile: isKernel })
  return { workload, inspection, microseconds: inspection.microseconds ?? medianMicroseconds(run, inputs) }
}

function compared({ workload, inspection, microseconds }: Timed, gigaflops: number, bandwidth: number): Measured {
  const { instructions, flops, bytes } = inspection
  const limit = instructions.reduce((sum, each) => sum + Math.max(each.flops / gigaflops, each.bytes / bandwidth), 0)
  return {
    ...{ kind: workload.kind, title: workload.title, microseconds, limitMicroseconds: limit / 1000 },
    gigaflops: flops / microseconds / 1000,
    gigabytesPerSecond: bytes / microseconds / 1000,
  }
}

/** Of the matrices by whose product the limit of arithmetic is found. */
const extent = 1024
const milliseconds = 400
const fewestRuns = 5

function medianMicroseconds(run: Workload['run'], inputs: Workload['inputs']): number {
  const compiled = compile(run)
  const times: number[] = []
  for (let i = 0; i < 3; i++) compiled.sync(...inputs)
  const end = performance.now() + milliseconds
  while (times.length < fewestRuns || performance.now() < end) {
    const start = performance.now()
    compiled.sync(...inputs)
    times.push(1000 * (performance.now() - start))
  }
  return times.sort((a, b) => a - b)[times.length >> 1]!
}
