/** Kernels against what this machine can do: GFLOP/s of its FMA peak, GB/s of its copy bandwidth. */
import * as g from '../lib/index.ts'
import { medianMicroseconds, printTable } from './harness.ts'
import type { MachinePeak } from './machine.ts'

const matmulShapes: readonly [number, number, number][] = [
  [64, 64, 64],
  [256, 256, 256],
  [1024, 1024, 1024],
  [128, 784, 256],
  [128, 256, 128],
  [128, 128, 10],
  [1, 784, 256],
]

async function benchMatmul(peak: MachinePeak): Promise<void> {
  const rows = []
  for (const [m, k, n] of matmulShapes) {
    const row: Record<string, string | number> = { 'm, k, n': `${m}, ${k}, ${n}` }
    for (const threads of [1, 2]) {
      g.setNumThreads(threads)
      const [a, b] = g.evaluateSync(g.randn([m, k]), g.randn([k, n]))
      const product = g.compile((a: g.Tensor, b: g.Tensor) => a.matmul(b))
      const µs = await medianMicroseconds(() => product.sync(a!, b!))
      const gflops = (2 * m * k * n) / µs / 1000
      row[`GFLOP/s, ${threads}`] = gflops
      row[`% of peak, ${threads}`] = (100 * gflops) / (peak.gflops * threads)
    }
    rows.push(row)
  }
  printTable(`matmul (FMA peak of one core: ${peak.gflops.toFixed(0)} GFLOP/s)`, rows)
}

type Kernel = { name: string; bytes: number; fn: (x: g.Tensor) => g.Tensor }

/** Bytes read and written per element. */
const elementwise: readonly Kernel[] = [
  { name: 'relu', bytes: 8, fn: (x) => x.relu() },
  { name: 'add 1', bytes: 8, fn: (x) => x.add(1) },
  { name: 'exp', bytes: 8, fn: (x) => x.exp() },
  { name: 'sigmoid', bytes: 8, fn: (x) => x.sigmoid() },
  { name: 'tanh', bytes: 8, fn: (x) => x.tanh() },
  { name: 'gelu', bytes: 8, fn: (x) => x.gelu() },
  { name: 'gelu, tanh', bytes: 8, fn: (x) => x.gelu({ approximate: 'tanh' }) },
  { name: 'sum', bytes: 4, fn: (x) => x.sum() },
  { name: 'mean of columns', bytes: 4, fn: (x) => x.reshape([-1, 100]).mean(0) },
  { name: 'softmax of rows', bytes: 8, fn: (x) => x.reshape([-1, 100]).softmax() },
]

async function benchElementwise(peak: MachinePeak): Promise<void> {
  g.setNumThreads(2)
  const rows = []
  for (const { name, bytes, fn } of elementwise) {
    const row: Record<string, string | number> = { kernel: name }
    for (const size of [10_000, 1_000_000]) {
      const [x] = g.evaluateSync(g.randn([size]))
      const run = g.compile(fn)
      const µs = await medianMicroseconds(() => run.sync(x!))
      row[`ns/element, ${size}`] = (1000 * µs) / size
      row[`GB/s, ${size}`] = (bytes * size) / µs / 1000
    }
    rows.push(row)
  }
  printTable(
    `elementwise and reductions, calls included (memory copy on one core: ${peak.copyGBs.toFixed(0)} GB/s)`,
    rows,
  )
}

export async function benchKernels(peak: MachinePeak): Promise<void> {
  await benchMatmul(peak)
  await benchElementwise(peak)
}
