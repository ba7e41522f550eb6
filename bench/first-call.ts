/**
 * What the first call of a compiled training step costs, and one with another length of its sequences: a small GPT with Adam, as in
 * examples/char-gpt.ts. To be run alone, as code that ran before is compiled by the engine already.
 */
import { CharGpt } from '../examples/char-gpt.ts'
import * as g from '../lib/index.ts'
import { printTable } from './harness.ts'

const classes = 65
const batch = 16
const context = 64

const milliseconds = (fn: () => unknown): number => {
  const before = performance.now()
  fn()
  return performance.now() - before
}

function tokensOf(length: number): g.Tensor {
  const tokens = g.tensor(Int32Array.from({ length: batch * length }, (_, i) => i % classes)).reshape([batch, length])
  return g.evaluateSync(tokens)[0]
}

export async function benchFirstCall(): Promise<void> {
  const model = new CharGpt(classes, { layers: 4, features: 128, context })
  const optimizer = g.optim.adam({ learningRate: 0.001 })
  const step = g.compile((x: g.Tensor, y: g.Tensor) =>
    optimizer.minimize(() => g.losses.crossEntropy(model.forward(x).reshape([-1, classes]), y.reshape([-1]))),
  )
  const call = (tokens: g.Tensor) => milliseconds(() => step.sync(tokens, tokens).dataSync())
  const tokens = tokensOf(context)
  const first = call(tokens)
  const later = Math.min(...[1, 2, 3, 4, 5].map(() => call(tokens)))
  const added = [1, 2, 3, 4, 5, 6, 7, 8].map((fewer) => {
    const shorter = tokensOf(context - fewer)
    return call(shorter) - call(shorter)
  })
  printTable('calls of the training step of a GPT, ms', [
    { what: 'the first', ms: first },
    { what: 'a later one', ms: later },
    { what: 'what the first one of another length takes longer, at best', ms: Math.min(...added) },
    { what: 'the same, in the median', ms: added.sort((a, b) => a - b)[added.length >> 1]! },
  ])
}
