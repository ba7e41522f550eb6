/** memory.ts STEPS: how much memory so many steps leave behind, after a start that warms everything up. */
import { setBackend } from '../../../lib/backend/active.ts'
import { sgd } from '../../../lib/optim/sgd.ts'
import { tensor } from '../../../lib/tensor/creation.ts'
import { randn } from '../../../lib/tensor/random.ts'
import type { Tensor } from '../../../lib/tensor/tensor.ts'
import { variable } from '../../../lib/tensor/variable.ts'
import { compile } from '../../../lib/transforms/compile.ts'
import { training } from './training.ts'

setBackend('native')
const steps = Number(process.argv[2])
const { step, images, labels } = training(8, [64, 32, 10])

// They live as long as the process, with what they keep of their calls.
const scaled = compile((x: Tensor, n: number) => x.mul(n))
const similarities = compile((x: Tensor) => x.matmul(x.transpose()).softmax().sum())

/** How many tensors that differ in shape there were. */
let shapes = 0

const loops: Record<string, (count: number) => void | Promise<void>> = {
  sync(count) {
    for (let i = 0; i < count; i++) step.sync(images, labels).itemSync()
  },
  async async(count) {
    for (let i = 0; i < count; i++) await (await step(images, labels)).item()
  },
  async overlapping(count) {
    for (let i = 0; i < count; i += 10) await Promise.all(Array.from({ length: 10 }, () => step(images, labels)))
  },
  uncompiled(count) {
    let x = tensor([1, 2, 3])
    for (let i = 0; i < count; i++) {
      x = x.mul(0.5).add(1)
      x.dataSync()
    }
  },
  numbers(count) {
    const x = tensor([1, 2, 3])
    for (let i = 0; i < count; i++) {
      scaled.sync(x, i + 0.5)
      x.add(i + 0.5).dataSync()
    }
  },
  shapes(count) {
    for (let i = 0; i < count / 25; i++) {
      // Larger for long, so that no program finds the scratch memory of the one before large enough.
      const rows = 300 + (shapes++ % 500)
      similarities.sync(tensor(new Float32Array(2 * rows), { shape: [rows, 2] }))
    }
  },
  optimizer(count) {
    const [w, optimizer] = [variable(randn([100, 100])), sgd({ learningRate: 0.01 })]
    for (let i = 0; i < count / 10; i++) optimizer.minimize(() => w.square().mean())
  },
}

type Usage = Record<'rss' | 'heapUsed' | 'external' | 'arrayBuffers', number>

async function usage(): Promise<Usage> {
  for (let i = 0; i < 4; i++) {
    globalThis.gc!()
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage()
  return { rss, heapUsed, external, arrayBuffers }
}

for (const [name, loop] of Object.entries(loops)) {
  await loop(steps / 4)
  const before = await usage()
  await loop(steps)
  const after = await usage()
  const growth = Object.entries(after).map(([key, bytes]) => [key, (bytes - before[key as keyof Usage]) / 2 ** 20])
  console.log(JSON.stringify([name, Object.fromEntries(growth)]))
}
