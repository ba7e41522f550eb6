/** Small things to train. */
import * as g from '../../lib/index.ts'

export const int32 = (values: number[]) => g.tensor(values, { dtype: 'int32' })

/** Points of three clouds around the corners of a triangle, with the number of the cloud. */
export function clouds(rows: number, seed: number): g.Dataset {
  const labels = Array.from({ length: rows }, (_, i) => i % 3)
  const corners = g
    .tensor([
      [2, 0],
      [-1, 1.7],
      [-1, -1.7],
    ])
    .gather(int32(labels))
  return g.data.fromTensors(corners.add(g.randn([rows, 2], { seed, std: 0.6 })), int32(labels))
}

export const classifier = () => g.nn.sequential(g.nn.linear(2, 16), g.nn.tanh(), g.nn.linear(16, 3))

/** Options for training a classifier; the rest is up to the test. */
export const options = (more: Partial<g.FitOptions> = {}): g.FitOptions => ({
  loss: g.losses.crossEntropy,
  optimizer: g.optim.adam({ learningRate: 0.02 }),
  ...more,
})

export const valuesOf = (model: g.nn.Module) => model.parameters().map((parameter) => parameter.dataSync())

/** A model of one weight whose loss is its prediction: training by sgd only counts the rows it sees. */
export function counter() {
  const w = g.variable([[0]], { name: 'w' })
  const model = { forward: (x: g.Tensor) => x.matmul(w), parameters: () => [w] }
  const loss = (prediction: g.Tensor) => prediction.mean()
  return { w, model, loss, optimizer: g.optim.sgd({ learningRate: 1 }) }
}

export const column = (values: number[]) => g.tensor(values.map((value) => [value]))
