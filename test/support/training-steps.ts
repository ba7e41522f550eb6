/** Programs of typical training steps. */

import { sizeOf } from '../../lib/base/shape.ts'
import { lower } from '../../lib/graph/lower.ts'
import { adam } from '../../lib/operations/updates.ts'
import { buildProgram } from '../../lib/program/build.ts'
import type { PassName } from '../../lib/program/passes/index.ts'
import type { Program } from '../../lib/program/program.ts'
import { tensor, zeros } from '../../lib/tensor/creation.ts'
import type { Tensor } from '../../lib/tensor/tensor.ts'
import { nodeOf } from '../../lib/tensor/tensor.ts'
import { type Variable, variable } from '../../lib/tensor/variable.ts'
import { gradients } from '../../lib/transforms/gradients.ts'

/** A program of the passes that are given, or all. */
export type MakeProgram = (passes?: readonly PassName[]) => Program

/** A loss and the updates of every parameter by Adam, in one program. */
function stepProgram(parameters: readonly Variable[], loss: Tensor): MakeProgram {
  const [learningRate, step] = [tensor(0.001), tensor(1)]
  const found = gradients(loss, parameters)
  const updates = parameters.flatMap((parameter, i) => {
    const [firstMoment, secondMoment] = [variable(zeros(parameter.shape)), variable(zeros(parameter.shape))]
    const state = { parameter, firstMoment, secondMoment }
    const values = adam({ ...state, gradient: found[i]!, learningRate, step })
    return Object.values(values).map((value, j) => ({ leaf: nodeOf(Object.values(state)[j]!), value: nodeOf(value) }))
  })
  return (passes) => buildProgram(lower([nodeOf(loss)], updates).draft, passes)
}

const classes = (...shape: number[]) => tensor(new Int32Array(sizeOf(shape)), { shape })

/** Layers of the given widths with relu between them. */
function perceptron(batch: number, widths: readonly number[]): MakeProgram {
  const parameters: Variable[] = []
  let x = tensor(new Uint8Array(batch * widths[0]!), { shape: [batch, widths[0]!] })
    .cast('float32')
    .div(255)
  widths.slice(1).forEach((width, i) => {
    const [w, b] = [variable(zeros([widths[i]!, width])), variable(zeros([width]))]
    parameters.push(w, b)
    const y = x.matmul(w).add(b)
    x = i === widths.length - 2 ? y : y.relu()
  })
  return stepProgram(parameters, x.softmaxCrossEntropy(classes(batch)).mean())
}

/** Blocks of attention and a residual network, over rows looked up in a table. */
function transformer(blocks: number, length: number, width: number): MakeProgram {
  const table = variable(zeros([50, width]))
  const parameters = [table]
  const weight = (rows: number, columns: number) => {
    const w = variable(zeros([rows, columns]))
    parameters.push(w)
    return w
  }
  let x = table.gather(classes(8 * length)).reshape([8, length, width])
  for (let i = 0; i < blocks; i++) {
    const [q, k, v] = [x.matmul(weight(width, width)), x.matmul(weight(width, width)), x.matmul(weight(width, width))]
    const scores = q
      .matmul(k.transpose([0, 2, 1]))
      .mul(width ** -0.5)
      .softmax()
    x = x.add(scores.matmul(v))
    const centred = x.sub(x.mean(-1, { keepDims: true }))
    x = centred.div(centred.square().mean(-1, { keepDims: true }).add(1e-5).sqrt())
    x = x.add(
      x
        .matmul(weight(width, 4 * width))
        .relu()
        .matmul(weight(4 * width, width)),
    )
  }
  const loss = x.matmul(weight(width, 50)).softmaxCrossEntropy(classes(8, length)).mean()
  return stepProgram(parameters, loss)
}

export const trainingSteps = (): Record<string, MakeProgram> => ({
  'mnist, batch 128': perceptron(128, [784, 256, 128, 10]),
  'mnist, batch 1024': perceptron(1024, [784, 256, 128, 10]),
  'mnist, batch 32': perceptron(32, [784, 256, 128, 10]),
  'ten layers': perceptron(64, [300, 250, 200, 180, 160, 140, 120, 100, 80, 60, 10]),
  hourglass: perceptron(200, [784, 400, 100, 20, 100, 400, 784]),
  transformer: transformer(3, 16, 32),
  'wide transformer': transformer(2, 24, 100),
})
