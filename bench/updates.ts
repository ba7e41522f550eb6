/** Fused updates of optimizers against the same rules written on tensors. */
import * as g from '../lib/index.ts'
import { medianMicroseconds, printTable } from './harness.ts'

const rules: Record<string, { fused: () => g.optim.Optimizer; rule: g.optim.UpdateRule }> = {
  sgd: {
    fused: () => g.optim.sgd({ learningRate: 1e-6 }),
    rule: ({ parameter, gradient, learningRate }) => ({ parameter: parameter.sub(gradient.mul(learningRate)) }),
  },
  momentum: {
    fused: () => g.optim.sgd({ learningRate: 1e-6, momentum: 0.9 }),
    rule({ parameter, gradient, learningRate, slot }) {
      const velocity = slot('velocity').mul(0.9).add(gradient)
      return { parameter: parameter.sub(velocity.mul(learningRate)), velocity }
    },
  },
  adam: {
    fused: () => g.optim.adam({ learningRate: 1e-6 }),
    rule({ parameter, gradient, learningRate, step, slot }) {
      const m = slot('m').mul(0.9).add(gradient.mul(0.1))
      const v = slot('v').mul(0.999).add(gradient.square().mul(0.001))
      // 1 − βᵗ without its cancellation in float32
      const [first, second] = [0.9, 0.999].map((beta) => step.mul(Math.log(beta)).expm1().neg())
      const scale = v.sqrt().mul(second!.rsqrt()).add(1e-8)
      return { parameter: parameter.sub(m.mul(learningRate.div(first!)).div(scale)), m, v }
    },
  },
}

function stepOf(optimizer: g.optim.Optimizer, size: number): () => unknown {
  const w = g.variable(g.randn([size], { seed: 1 }))
  const [gradient] = g.evaluateSync(g.randn([size], { seed: 2 }))
  const step = g.compile((gradient: g.Tensor) => optimizer.applyGradients([[w, gradient]]))
  return () => step.sync(gradient)
}

export async function benchUpdates(): Promise<void> {
  const rows = []
  for (const [name, { fused, rule }] of Object.entries(rules))
    for (const size of [1000, 100_000, 1_000_000])
      for (const threads of [1, 2]) {
        g.setNumThreads(threads)
        const µs = await medianMicroseconds(stepOf(fused(), size))
        const written = g.optim.optimizer({ name, learningRate: 1e-6, rule })
        const onTensors = await medianMicroseconds(stepOf(written, size))
        rows.push({ rule: name, size, threads, 'µs fused': µs, 'µs on tensors': onTensors, ratio: onTensors / µs })
      }
  printTable('a step of an optimizer on one parameter', rows)
}
