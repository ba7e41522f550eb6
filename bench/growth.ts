/**
 * How time grows with the work: a training step over batch, width and depth, a chain over its nodes, and compiling over
 * both. The exponent is that of the power law between neighbours: 1 where twice as much takes twice as long. Below it
 * fixed costs show; above 1 something grows faster than its work, or data leaves a cache: what a step touches grows with
 * batch, width and depth, and passes the second level at some 300 layers of 32, and the third above width 1024.
 */
import * as g from '../lib/index.ts'
import { printTable } from './harness.ts'

interface Point {
  readonly size: number
  /** Floating-point operations of the program, or its nodes. */
  readonly work: number
  readonly µs: number
}

/** The median of some calls, fewer of slow ones. */
function medianMicroseconds(fn: () => unknown): number {
  const times: number[] = []
  fn()
  const end = performance.now() + 250
  do {
    const before = performance.now()
    fn()
    times.push(1000 * (performance.now() - before))
  } while (performance.now() < end && times.length < 500)
  return times.sort((a, b) => a - b)[times.length >> 1]!
}

function trainingStep(batch: number, widths: readonly number[]) {
  g.setSeed(1)
  const layers = widths.slice(1).flatMap((width, i) => [g.nn.linear(widths[i]!, width), g.nn.relu()])
  const model = g.nn.sequential(...layers.slice(0, -1))
  const optimizer = g.optim.sgd({ learningRate: 0.001 })
  const [x] = g.evaluateSync(g.uniform([batch, widths[0]!]))
  const labels = g.tensor(Int32Array.from({ length: batch }, (_, i) => i % widths.at(-1)!))
  const loss = (x: g.Tensor, y: g.Tensor) => optimizer.minimize(() => g.losses.crossEntropy(model.forward(x), y))
  const step = g.compile(loss)
  const before = performance.now()
  const { flops } = g.inspect(loss, x!, labels)
  return { run: () => step.sync(x!, labels), flops, compileµs: 1000 * (performance.now() - before) }
}

function chain(x: g.Tensor, nodes: number): g.Tensor {
  for (let i = 0; i < nodes; i += 2) x = x.add(1).mul(0.5)
  return x
}

/** The last exponent is over the upper half of the sizes, where fixed costs are small. */
function printGrowth(title: string, points: readonly Point[]): void {
  const exponent = (a: Point, b: Point) => Math.log(b.µs / a.µs) / Math.log(b.work / a.work)
  const rows = points.map((point, i) => ({
    size: String(point.size),
    µs: point.µs,
    'ns per unit of work': (1000 * point.µs) / point.work,
    exponent: i === 0 ? '' : exponent(points[i - 1]!, point),
  }))
  printTable(title, rows)
  const middle = points[points.length >> 1]!
  console.log(`exponent from ${middle.size} to ${points.at(-1)!.size}: ${exponent(middle, points.at(-1)!).toFixed(2)}`)
}

function growthOfSteps(title: string, sizes: readonly number[], make: (size: number) => [number, readonly number[]]) {
  const points = sizes.map((size): Point => {
    const { run, flops } = trainingStep(...make(size))
    return { size, work: flops, µs: medianMicroseconds(run) }
  })
  printGrowth(`a step against ${title}; work in FLOPs`, points)
}

export async function benchGrowth(): Promise<void> {
  const batches = [1, 4, 16, 64, 256, 1024, 4096, 16384, 65536]
  growthOfSteps('batch, MLP 784-256-128-10', batches, (batch) => [batch, [784, 256, 128, 10]])
  const widths = [8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096]
  growthOfSteps('width, two hidden layers, batch 64', widths, (width) => [64, [width, width, width, 10]])
  const depths = [1, 3, 10, 30, 100, 300, 1000]
  const layersOf = (depth: number): number[] => [...new Array<number>(depth).fill(32), 10]
  growthOfSteps('depth, layers of 32, batch 32', depths, (depth) => [32, layersOf(depth)])

  const nodes = [10, 100, 1000, 10_000, 100_000]
  const x = g.tensor(new Float32Array(64))
  const compiled = nodes.map((size): Point => {
    const run = g.compile((x: g.Tensor) => chain(x, size))
    return { size, work: size, µs: medianMicroseconds(() => run.sync(x)) }
  })
  printGrowth('a compiled chain of elementwise nodes', compiled)
  const recorded = nodes.map((size): Point => {
    return { size, work: size, µs: medianMicroseconds(() => chain(x, size).dataSync()) }
  })
  printGrowth('the same, recorded and looked up each time', recorded)
  const chainsCompiled = nodes.map((size): Point => {
    return { size, work: size, µs: medianMicroseconds(() => g.inspect((x: g.Tensor) => chain(x, size), x)) }
  })
  printGrowth('compiling it: recorded, lowered, planned, verified, prepared; as text, too', chainsCompiled)
  const stepsCompiled = depths.map((depth): Point => {
    const times = [1, 2, 3].map(() => trainingStep(32, layersOf(depth)).compileµs)
    return { size: depth, work: 20 * depth, µs: Math.min(...times) }
  })
  printGrowth('compiling a step of so many layers, some 20 nodes each', stepsCompiled)
}
