/** TensorFlow.js on the backend that GALVANI_BENCH_TFJS names: wasm or cpu. */
import '@tensorflow/tfjs-backend-wasm'
import * as tf from '@tensorflow/tfjs'
import { labelsOf, medianMicroseconds, mlp, numbers, type Row, report, type TrainingRow } from './rows.ts'

function parametersOf(layers: readonly number[]): tf.Variable[] {
  return layers
    .slice(1)
    .flatMap((units, i) => [tf.variable(tf.randomNormal([layers[i]!, units], 0, 0.05)), tf.variable(tf.zeros([units]))])
}

function forward(x: tf.Tensor2D, parameters: readonly tf.Variable[]): tf.Tensor2D {
  let y: tf.Tensor = x
  for (let i = 0; i < parameters.length; i += 2) {
    y = tf.add(tf.matMul(y as tf.Tensor2D, parameters[i] as unknown as tf.Tensor2D), parameters[i + 1]!)
    if (i + 2 < parameters.length) y = tf.relu(y)
  }
  return y as tf.Tensor2D
}

const inputs = (batch: number, columns: number) => tf.tensor2d(numbers(batch * columns), [batch, columns])

function trainingStep({ layers, batch, optimizer: name }: TrainingRow): () => Promise<unknown> {
  const parameters = parametersOf(layers)
  const optimizer = name === 'adam' ? tf.train.adam(0.001) : tf.train.sgd(0.001)
  const x = inputs(batch, layers[0]!)
  const y = tf.oneHot(tf.tensor1d(labelsOf(batch), 'int32'), 10)
  return async () => {
    const loss = optimizer.minimize(() => tf.losses.softmaxCrossEntropy(y, forward(x, parameters)), true)!
    await loss.data()
    loss.dispose()
  }
}

function tinyGradient(): () => Promise<unknown> {
  const x = tf.tensor2d([1, 2, 3, 4, 4, 3, 2, 1], [2, 4])
  const y = tf.oneHot(tf.tensor1d([2, 0], 'int32'), 3)
  const parameters = parametersOf([4, 3])
  return async () => {
    const { value, grads } = tf.variableGrads(
      () => tf.losses.softmaxCrossEntropy(y, forward(x, parameters)),
      parameters,
    )
    await Promise.all(Object.values(grads).map((gradient) => gradient.data()))
    tf.dispose([value, grads])
  }
}

function inference(batch: number): () => Promise<unknown> {
  const parameters = parametersOf(mlp)
  const x = inputs(batch, mlp[0])
  return async () => {
    const y = tf.tidy(() => forward(x, parameters))
    await y.data()
    y.dispose()
  }
}

/** Of the rows that are measured here; the plain JavaScript backend takes seconds for a large step. */
function callOf(row: Row): (() => Promise<unknown>) | undefined {
  if (row.kind === 'training' && (row.batch <= 128 || backend !== 'cpu')) return trainingStep(row)
  if (row.kind === 'inference') return inference(row.batch)
  return row.kind === 'tiny gradient' ? tinyGradient() : undefined
}

const backend = process.env.GALVANI_BENCH_TFJS ?? 'cpu'
await tf.setBackend(backend)
await tf.ready()
await report(`tfjs ${backend}`, async (row, seconds) => {
  const call = callOf(row)
  return call === undefined ? undefined : medianMicroseconds(call, seconds)
})
