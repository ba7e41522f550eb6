/**
 * A training in a process of its own that may be killed at any moment and begun again: `node --import tsx resumed-training.ts DIRECTORY`. It
 * says `ready` when it begins or goes on, and at its end what the model, the optimizer and the history are.
 *
 * KILL_AT_RENAME=N has it kill itself right before its Nth rename of a file, KILL_AFTER_RENAME=N right after it.
 */
import { createHash } from 'node:crypto'
import fs from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'

const [before, after] = [Number(process.env.KILL_AT_RENAME), Number(process.env.KILL_AFTER_RENAME)]
let renames = 0
const { rename } = fs
const kill = () => process.kill(process.pid, 'SIGKILL')
fs.rename = async (from, to) => {
  renames++
  if (renames === before) kill()
  await rename(from, to)
  if (renames === after) kill()
}
syncBuiltinESMExports()

const g = await import('../../lib/index.ts')
const directory = process.argv[2]
g.setSeed(5)
const model = g.nn.sequential(
  g.nn.linear(4, 16),
  g.nn.dropout(0.3),
  g.nn.relu(),
  g.nn.batchNorm1d(16),
  g.nn.linear(16, 3),
)
const labels = Int32Array.from({ length: 103 }, (_, i) => i % 3)
const dataset = g.data
  .fromTensors(g.randn([103, 4], { seed: 1 }), g.tensor(labels))
  .map((x, y) => [x.add(g.randn(x.shape, { std: 0.01 })), y])
const optimizer = g.optim.adam({ learningRate: 0.01 })
const pause = () => new Promise((resolve) => setTimeout(resolve, 1))
const { epochs } = await g.fit(model, dataset, {
  ...{
    epochs: 40,
    batchSize: 10,
    loss: 'crossEntropy',
    metrics: ['accuracy'],
    optimizer,
    seed: 3,
    validationSplit: 0.2,
  },
  sliceMilliseconds: 0.01,
  callbacks: [
    { onTrainBegin: () => process.stdout.write('ready\n'), onStepEnd: pause },
    g.callbacks.reduceLROnPlateau({ patience: 2, factor: 0.7 }),
    g.callbacks.earlyStopping({ monitor: 'loss', patience: 30, restoreBest: true }),
  ],
  ...(directory === undefined
    ? {}
    : { resume: directory, checkpoint: { directory, every: { steps: 3, epochs: 4 }, best: 'validation.loss' } }),
})
const hash = createHash('sha256')
for (const state of [model.stateDict(), optimizer.stateDict(model)])
  for (const [name, value] of Object.entries(state))
    hash.update(name).update(new Uint8Array((await value.data()).buffer))
hash.update(JSON.stringify(epochs.map((info) => ({ ...info, seconds: 0 }))))
process.stdout.write(`digest ${hash.digest('hex')}\n`)
