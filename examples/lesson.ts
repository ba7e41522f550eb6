// A lesson, from a function that cannot be learned with to one that is minimised: `npm run lesson` prints it.
// Each section is a function that returns its numbers; test/lesson.test.ts compares them with PyTorch's.

import { fileURLToPath } from 'node:url'
import * as g from '../lib/index.ts'
import { printSection } from './support/print.ts'

export interface LessonOptions {
  /** float64 is computed by the reference backend. */
  dtype?: 'float32' | 'float64'
}

/** A function of one number: its values at x, and its slope at each of them. */
async function curve(f: (x: g.Tensor) => g.Tensor, x: g.Tensor) {
  // Every output depends on its own input alone, so the gradient of their sum holds all the slopes.
  const gradients = g.grad((x: g.Tensor) => f(x).sum())(x)
  return numbersOf({ x, values: f(x), gradients })
}

/** What the tensors hold, as nested arrays; all of them come from one program. */
async function numbersOf<Name extends string>(tensors: Record<Name, g.Tensor>): Promise<Record<Name, g.NestedArray>> {
  await g.evaluate(...Object.values<g.Tensor>(tensors))
  const entries = Object.entries<g.Tensor>(tensors).map(async ([name, tensor]) => [name, await tensor.array()])
  return Object.fromEntries(await Promise.all(entries))
}

export const step = ({ dtype = 'float32' }: LessonOptions = {}) =>
  curve((x) => x.step(), g.linspace(-1, 1, 10, { dtype }))

export const sigmoid = ({ dtype = 'float32' }: LessonOptions = {}) =>
  curve((x) => x.sigmoid(), g.linspace(-10, 10, 10, { dtype }))

export const tanh = ({ dtype = 'float32' }: LessonOptions = {}) =>
  curve((x) => x.tanh(), g.linspace(-1, 1, 10, { dtype }))

export const relu = ({ dtype = 'float32' }: LessonOptions = {}) =>
  curve((x) => x.relu(), g.linspace(-1, 1, 10, { dtype }))

export const leakyRelu = ({ dtype = 'float32', slope = 0.2 }: LessonOptions & { slope?: number } = {}) =>
  curve((x) => x.leakyRelu(slope), g.linspace(-1, 1, 10, { dtype }))

const samples = [
  [1, 2, -1, 0.5],
  [0.5, -1.5, 2, 1],
]
const labels = [2, 0]
const weights = [
  [0.2, -0.1, 0.4],
  [0.5, 0.3, -0.2],
  [-0.3, 0.8, 0.1],
  [0.6, -0.4, 0.7],
]
const biases = [0.1, -0.2, 0.3]

/** Two samples of four numbers go through one layer to three classes: x·w + b. */
function classify(dtype: g.DType) {
  const w = g.variable(g.tensor(weights, { dtype }))
  const b = g.variable(g.tensor(biases, { dtype }))
  return { w, b, logits: g.tensor(samples, { dtype }).matmul(w).add(b) }
}

export async function softmaxMeanSquaredError({ dtype = 'float32' }: LessonOptions = {}) {
  const { w, b, logits } = classify(dtype)
  const predictions = logits.softmax()
  const targets = g.oneHot(g.tensor(labels, { dtype: 'int32' }), 3).cast(dtype)
  const loss = g.losses.meanSquaredError(predictions, targets)
  const [dw, db] = g.gradients(loss, [w, b])
  return numbersOf({ predictions, loss, dw, db })
}

export async function softmaxJacobian({ dtype = 'float32' }: LessonOptions = {}) {
  const x = g.variable(g.tensor([2, 1, 0.1], { dtype }))
  const softmax = g.softmax(x)
  // Row i of the Jacobian is the gradient of output i.
  const rows = [0, 1, 2].flatMap((i) => g.gradients(softmax.slice([i], [i + 1]).sum(), [x]))
  return numbersOf({ softmax, jacobian: g.concat(rows).reshape([3, 3]) })
}

export async function crossEntropy({ dtype = 'float32' }: LessonOptions = {}) {
  const { w, b, logits } = classify(dtype)
  const targets = g.tensor(labels, { dtype: 'int32' })
  const rowLosses = g.losses.crossEntropy(logits, targets, { reduction: 'none' })
  const loss = g.losses.crossEntropy(logits, targets)
  const [dw, db] = g.gradients(loss, [w, b])
  return numbersOf({ logits, rowLosses, loss, dw, db })
}

const input = [[0.5, -1, 2, 1]]

/** Perceptrons that share an input: w, b, and `run`, which gives activation(x·w + b) and its distance from the target. */
function createPerceptrons(weights: number[][], biases: number[], target: number[][], dtype: g.DType) {
  const w = g.variable(g.tensor(weights, { dtype }))
  const b = g.variable(g.tensor(biases, { dtype }))
  const run = (activation: (x: g.Tensor) => g.Tensor) => {
    const output = activation(g.tensor(input, { dtype }).matmul(w).add(b))
    return { output, loss: g.losses.meanSquaredError(output, g.tensor(target, { dtype })) }
  }
  return { w, b, run }
}

/** One output, which should be 1. */
const onePerceptron = (dtype: g.DType) => createPerceptrons([[0.4], [0.3], [-0.2], [0.1]], [0.2], [[1]], dtype)

export async function perceptron({ dtype = 'float32' }: LessonOptions = {}) {
  const { w, b, run } = onePerceptron(dtype)
  const { output, loss } = run(g.sigmoid)
  const [dw, db] = g.gradients(loss, [w, b])
  return numbersOf({ output, loss, dw, db })
}

export async function perceptrons({ dtype = 'float32' }: LessonOptions = {}) {
  const { w, b, run } = createPerceptrons(weights, biases, [[1, 0, 1]], dtype)
  const { output, loss } = run(g.sigmoid)
  const [dw, db] = g.gradients(loss, [w, b])
  return numbersOf({ output, loss, dw, db })
}

/** Twenty steps of gradient descent on the perceptron with one output: its loss and weights before and after. */
export async function training(activation: (x: g.Tensor) => g.Tensor, { dtype = 'float32' }: LessonOptions = {}) {
  const { w, b, run } = onePerceptron(dtype)
  const loss = () => run(activation).loss
  const before = await numbersOf({ lossBefore: loss(), wBefore: w.value })
  const optimizer = g.optim.sgd({ learningRate: 1 })
  for (let i = 0; i < 20; i++) await optimizer.minimizeAsync(loss, [w, b])
  return { ...before, ...(await numbersOf({ lossAfter: loss(), wAfter: w.value })) }
}

/** (x² + y - 11)² + (x + y² - 7)², which has four minima, all 0 (D. Himmelblau, Applied Nonlinear Programming, 1972). */
const himmelblauAt = (x: g.Tensor, y: g.Tensor) =>
  x.square().add(y).sub(11).square().add(x.add(y.square()).sub(7).square())

const starts = { x: [0, 1, -2, -4, -1, 4, 2], y: [0, 1, 2, 0, -3, 0, -3] }
const learningRate = 0.01
const steps = 200

function columns(...vectors: g.Tensor[]): g.Tensor {
  const matrices = vectors.map((vector) => vector.reshape([-1, 1]))
  return g.concat(matrices, 1)
}

/** Plain gradient descent from all starts at once: where each of them ends. */
export async function himmelblau({ dtype = 'float32' }: LessonOptions = {}) {
  const slopes = (x: g.Tensor, y: g.Tensor) => g.gradients(himmelblauAt(x, y).sum(), [x, y])
  const descend = g.compile((x: g.Tensor, y: g.Tensor) => {
    const [dx, dy] = slopes(x, y)
    return [x.sub(dx.mul(learningRate)), y.sub(dy.mul(learningRate))]
  })
  let x = g.tensor(starts.x, { dtype })
  let y = g.tensor(starts.y, { dtype })
  const first = { values: himmelblauAt(x, y), gradients: columns(...slopes(x, y)) }
  const begin = await numbersOf({ starts: columns(x, y), ...first })
  for (let i = 0; i < steps; i++) [x, y] = await descend(x, y)
  return { ...begin, ...(await numbersOf({ ends: columns(x, y) })) }
}

const chapters = [
  ['The step function', 'It decides: yes or no. But it is flat, its slope is 0, and learning follows slopes.', step],
  ['A perceptron that cannot learn', 'Wrong, and 20 steps of gradient descent do not move it.', () => training(g.step)],
  ['The sigmoid', 'A step with soft edges: now there is a slope everywhere, the steepest in the middle.', sigmoid],
  ['A perceptron that learns', 'The same weights, the same 20 steps, with a sigmoid.', () => training(g.sigmoid)],
  ['tanh', 'The sigmoid again, stretched to the range from -1 to 1.', tanh],
  ['relu', 'Flat on one side, a straight line on the other: cheap, and its slope does not fade.', relu],
  ['leakyRelu', 'With a small slope, here 0.2, where relu has none.', leakyRelu],
  ['Softmax and mean squared error', 'How far are the probabilities from labels 2 and 0?', softmaxMeanSquaredError],
  ['The Jacobian of softmax', 'Row i says how output i moves with each input; it adds up to 0.', softmaxJacobian],
  ['Cross-entropy', 'The loss that goes with softmax: -log of what the right class got.', crossEntropy],
  ['One perceptron', 'sigmoid(x·w + b), its loss, and the slopes it learns by.', perceptron],
  ['Several perceptrons', 'A layer: the same input, one column of weights per output.', perceptrons],
  ["Himmelblau's function", 'It has four minima; where gradient descent ends is decided by its start.', himmelblau],
] as const

if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const [title, text, compute] of chapters) printSection(title, text, await compute())
