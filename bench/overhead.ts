/** What everything around the kernels costs: recording, looking up, crossing into the addon. */
import * as g from '../lib/index.ts'
import { medianMicroseconds, medianOfBatch, printTable } from './harness.ts'

const recordedNodes = 100

function recordChain(x: g.Tensor): g.Tensor {
  let y = x
  for (let i = 0; i < recordedNodes; i++) y = y.tanh()
  return y
}

/** The softmax-cross-entropy gradients of x[2,4]·w[4,3] + b[3]. */
function tinyGradient() {
  const x = g.tensor([
    [1, 2, 3, 4],
    [4, 3, 2, 1],
  ])
  const labels = g.tensor([2, 0], { dtype: 'int32' })
  const w = g.variable(g.randn([4, 3], { seed: 1 }))
  const b = g.variable(g.zeros([3]))
  return (): g.Tensor[] => g.gradients(g.losses.crossEntropy(x.matmul(w).add(b), labels), [w, b])
}

export async function benchOverhead(): Promise<void> {
  const x = g.tensor([1, 2, 3])
  const identity = g.compile((x: g.Tensor) => x.neg())
  const gradient = tinyGradient()
  const compiledGradient = g.compile(gradient)
  printTable('overhead, µs', [
    { what: 'record a node', µs: (await medianOfBatch(() => recordChain(x), 10)) / recordedNodes },
    { what: 'compiled run of one small instruction, sync', µs: await medianOfBatch(() => identity.sync(x)) },
    { what: 'compiled run of one small instruction, async', µs: await medianMicroseconds(() => identity(x)) },
    { what: 'uncompiled x + 1, sync', µs: await medianOfBatch(() => x.add(1).dataSync()) },
    { what: 'tiny gradient, compiled, sync', µs: await medianOfBatch(() => compiledGradient.sync()) },
    { what: 'tiny gradient, uncompiled, sync', µs: await medianOfBatch(() => g.evaluateSync(...gradient()), 100) },
  ])
}
