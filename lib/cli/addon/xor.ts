/** The least that a network has to learn: whether one of two inputs is on, but not both. */
import { backendInfo, setBackend } from '../../backend/active.ts'
import type { BackendInfo } from '../../backend/backend.ts'
import { binaryCrossEntropy } from '../../losses/binary.ts'
import { adam } from '../../optim/adam.ts'
import { tensor } from '../../tensor/creation.ts'
import { randn } from '../../tensor/random.ts'
import { variable } from '../../tensor/variable.ts'
import { compile } from '../../transforms/compile.ts'

const steps = 200
const learnt = 0.1

export interface Learnt {
  readonly native: BackendInfo
  readonly milliseconds: number
}

/** Trains on the native backend. @throws where it does not run, or does not learn. */
export async function trainXor(): Promise<Learnt> {
  setBackend('native')
  const start = performance.now()
  const inputs = tensor([0, 0, 0, 1, 1, 0, 1, 1], { shape: [4, 2] })
  const targets = tensor([0, 1, 1, 0], { shape: [4, 1] })
  const hidden = variable(randn([2, 8], { seed: 1 }))
  const offset = variable(randn([8], { seed: 2 }))
  const output = variable(randn([8, 1], { seed: 3 }))
  const optimizer = adam({ learningRate: 0.05 })
  const step = compile(() =>
    optimizer.minimize(() => binaryCrossEntropy(inputs.matmul(hidden).add(offset).tanh().matmul(output), targets)),
  )
  let loss = step()
  for (let i = 1; i < steps; i++) loss = step()
  const last = await (await loss).item()
  if (!(last < learnt)) throw new Error(`trained XOR to a loss of ${last}, where less than ${learnt} was expected`)
  return { native: backendInfo(), milliseconds: Math.round(performance.now() - start) }
}
