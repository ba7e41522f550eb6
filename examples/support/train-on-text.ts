// Trains what foretells each character of a text by those before it, on pieces of the text that each step cuts out by itself.

import * as g from '../../lib/index.ts'
import type { Text } from './text.ts'

export interface TextTraining {
  readonly steps: number
  /** Of a piece, in characters. */
  readonly length: number
  /** How many pieces a step has. */
  readonly batchSize: number
  readonly seed: number
}

/** As many steps are one crossing into the native core. */
const stepsAtOnce = 10
const validationRows = 256

type Logits = (tokens: g.Tensor) => g.Tensor

/** The mean loss of each character of some pieces, by those before it in the piece. */
function createLoss(logitsOf: Logits, text: g.Tensor, length: number) {
  const offsets = g.arange(0, length + 1, 1, { dtype: 'int32' })
  return (starts: g.Tensor): g.Tensor => {
    const pieces = text.gather(starts.reshape([-1, 1]).add(offsets))
    const logits = logitsOf(pieces.slice([0, 0], [starts.size, length]))
    return g.losses.crossEntropy(logits, pieces.slice([0, 1], [starts.size, length + 1]))
  }
}

/**
 * Trains a model on nine tenths of a text, and says now and then what the loss is, there and on the last tenth.
 *
 * @param logitsOf what the model gives: [batch, length, classes] of tokens[batch, length]
 */
export async function trainOnText<Output>(
  model: g.nn.Module<g.Tensor, Output>,
  logitsOf: Logits,
  text: Text,
  { steps, length, batchSize, seed }: TextTraining,
): Promise<void> {
  console.log(model.summary(g.zeros([batchSize, length], { dtype: 'int32' })))
  console.log(`${text.tokens.length} characters, ${text.alphabet.length} different ones`)

  const trained = Math.floor(0.9 * text.tokens.length)
  const lossOf = createLoss(logitsOf, g.tensor(text.tokens), length)
  const learningRate = g.schedules.cosine({ peak: 2e-3, steps, warmup: Math.floor(steps / 20), end: 1e-4 })
  const optimizer = g.optim.adamw({ learningRate })
  const step = g.compile((starts: g.Tensor) => optimizer.minimize(() => lossOf(starts), model))
  const validate = g.compile((starts: g.Tensor) => lossOf(starts))
  const held = g.randint([validationRows], trained, text.tokens.length - length - 1, { seed })

  let milliseconds = 0
  for (let done = 0; done < steps; ) {
    const size = Math.min(stepsAtOnce, steps - done)
    const starts = g.randint([size, batchSize], trained - length - 1)
    const begin = performance.now()
    const losses = await (await step.scan(starts)).data()
    // The first crossing has the program prepared.
    if (done > 0) milliseconds += performance.now() - begin
    done += size
    if (done % Math.max(stepsAtOnce, Math.floor(steps / 10)) < stepsAtOnce || done === steps) {
      model.eval()
      const validation = await (await validate(held)).item()
      model.train()
      const mean = Array.from(losses, Number).reduce((sum, loss) => sum + loss) / size
      console.log(`step ${done}: loss ${mean.toFixed(3)}, validation ${Number(validation).toFixed(3)}`)
    }
  }
  if (steps > stepsAtOnce) console.log(`${(milliseconds / (steps - stepsAtOnce)).toFixed(2)} ms for a step`)
}
