/** Galvani's own figures, in the form of its peers'. */
import { CharGpt } from '../../examples/char-gpt.ts'
import * as g from '../../lib/index.ts'
import {
  convolutional,
  gpt,
  type InferenceRow,
  labelsOf,
  type Measured,
  medianMicroseconds,
  medianOfBatches,
  mlp,
  normalized,
  numbers,
  type Row,
  recurrent,
  report,
  residual,
  type TrainingRow,
  tokensOf,
  transformer,
} from './rows.ts'

/** A compiled function of some tensors. */
interface Work {
  readonly call: () => unknown
  /** What the machine needs for it at least, in microseconds. */
  readonly limit: () => number | undefined
}

function compiled(fn: (...args: g.Tensor[]) => g.Tensor | g.Tensor[], ...args: g.Tensor[]): Work {
  const step = g.compile(fn)
  return {
    call: () => step.sync(...args),
    limit: () => g.inspect(fn, ...args, { profile: true }).limitMicroseconds,
  }
}

/** A training step of a classifier. */
function trained(model: g.nn.Module, optimizer: g.optim.Optimizer, x: g.Tensor, y: g.Tensor): Work {
  const step = (x: g.Tensor, y: g.Tensor) => optimizer.minimize(() => g.losses.crossEntropy(model.forward(x), y))
  return compiled(step, x, y)
}

const adam = () => g.optim.adam({ learningRate: 0.001 })

function classifier(layers: readonly number[]): g.nn.Module {
  const pairs = layers.slice(1).map((units, i) => [layers[i]!, units] as const)
  const modules = pairs.flatMap(([from, to], i) => {
    const linear = g.nn.linear(from, to)
    return i < pairs.length - 1 ? [linear, g.nn.relu()] : [linear]
  })
  return g.nn.sequential(...modules)
}

function trainingStep({ layers, batch, optimizer: name }: TrainingRow): Work {
  const optimizer = g.optim[name]({ learningRate: 0.001 })
  const x = g.tensor(numbers(batch * layers[0]!), { shape: [batch, layers[0]!] })
  return trained(classifier(layers), optimizer, x, g.tensor(labelsOf(batch)))
}

class Classifier extends g.nn.Module {
  readonly layers = Array.from({ length: transformer.layers }, () => {
    const { features, heads, feedForward } = transformer
    return g.nn.transformerEncoderLayer(features, heads, { feedForward, dropout: 0 })
  })
  readonly output = g.nn.linear(transformer.features, 10)

  forward(x: g.Tensor): g.Tensor {
    return this.output.forward(this.layers.reduce((y, layer) => layer.forward(y), x).mean(1))
  }
}

function transformerStep(): Work {
  const { batch, length, features } = transformer
  const x = g.tensor(numbers(batch * length * features), { shape: [batch, length, features] })
  return trained(new Classifier(), adam(), x, g.tensor(labelsOf(batch)))
}

function gptStep(): Work {
  const { classes, batch, ...shape } = gpt
  const model = new CharGpt(classes, shape)
  const tokens = g.tensor(tokensOf(batch * shape.context, classes), { shape: [batch, shape.context] })
  const optimizer = adam()
  const step = (x: g.Tensor) =>
    optimizer.minimize(() => g.losses.crossEntropy(model.forward(x).reshape([x.size, classes]), x.flatten()))
  return compiled(step, tokens)
}

function recurrentStep(): Work {
  const { batch, length, features, hidden } = recurrent
  const model = g.nn.lstm(features, hidden)
  const optimizer = g.optim.sgd({ learningRate: 0.001 })
  const x = g.tensor(numbers(length * batch * features), { shape: [length, batch, features] })
  return compiled((x: g.Tensor) => optimizer.minimize(() => model.forward(x).output.square().mean()), x)
}

function convolutionalStep(): Work {
  const { batch, channels, hidden } = convolutional
  const [images, first, second] = channels
  const model = g.nn.sequential(
    g.nn.conv2d(images, first, 3, { padding: 'same' }),
    g.nn.relu(),
    g.nn.maxPool2d(2),
    g.nn.conv2d(first, second, 3, { padding: 'same' }),
    g.nn.relu(),
    g.nn.maxPool2d(2),
    g.nn.flatten(),
    g.nn.linear(7 * 7 * second, hidden),
    g.nn.relu(),
    g.nn.linear(hidden, 10),
  )
  return imageStep(model, [batch, images, 28, 28])
}

/** A step of Adam on images of 10 classes. */
function imageStep(model: g.nn.Module, shape: readonly [number, number, number, number]): Work {
  const x = g.tensor(numbers(shape.reduce((a, b) => a * b)), { shape })
  return trained(model, adam(), x, g.tensor(labelsOf(shape[0])))
}

const normalizedConvolution = (from: number, to: number, kernel: number, stride = 1): g.nn.Module[] => [
  g.nn.conv2d(from, to, kernel, { padding: kernel >> 1, stride, bias: false }),
  g.nn.batchNorm2d(to),
]

function normalizedStep(): Work {
  const { batch, channels } = normalized
  const [images, first, second, third] = channels
  const model = g.nn.sequential(
    ...normalizedConvolution(images, first, 3),
    g.nn.relu(),
    g.nn.maxPool2d(2),
    ...normalizedConvolution(first, second, 3),
    g.nn.relu(),
    g.nn.maxPool2d(2),
    ...normalizedConvolution(second, third, 3),
    g.nn.relu(),
    g.nn.flatten(),
    g.nn.linear(7 * 7 * third, 10),
  )
  return imageStep(model, [batch, images, 28, 28])
}

class ResidualBlock extends g.nn.Module {
  readonly main: g.nn.Module
  readonly shortcut: g.nn.Module | null

  constructor(from: number, to: number) {
    super()
    const stride = from === to ? 1 : 2
    const last = normalizedConvolution(to, to, 3)
    this.main = g.nn.sequential(...normalizedConvolution(from, to, 3, stride), g.nn.relu(), ...last)
    this.shortcut = from === to ? null : g.nn.sequential(...normalizedConvolution(from, to, 1, stride))
  }

  forward(x: g.Tensor): g.Tensor {
    return this.main
      .forward(x)
      .add(this.shortcut?.forward(x) ?? x)
      .relu()
  }
}

function residualStep(): Work {
  const { batch, size, channels, blocks } = residual
  const [first] = channels
  const stages = channels.flatMap((to, i) =>
    Array.from({ length: blocks }, (_, j) => new ResidualBlock(j > 0 ? to : (channels[i - 1] ?? first), to)),
  )
  const model = g.nn.sequential(
    ...normalizedConvolution(3, first, 3),
    g.nn.relu(),
    ...stages,
    g.nn.adaptiveAvgPool2d(1),
    g.nn.flatten(),
    g.nn.linear(channels[2], 10),
  )
  return imageStep(model, [batch, 3, size, size])
}

function inference({ batch }: InferenceRow): Work {
  const model = classifier(mlp)
  const x = g.tensor(numbers(batch * mlp[0]), { shape: [batch, mlp[0]] })
  return compiled((x: g.Tensor) => model.forward(x), x)
}

function tinyGradient(): Work {
  const x = g.tensor([
    [1, 2, 3, 4],
    [4, 3, 2, 1],
  ])
  const labels = g.tensor([2, 0], { dtype: 'int32' })
  const [w, b] = [g.variable(g.randn([4, 3], { seed: 1 })), g.variable(g.zeros([3]))]
  return compiled(() => g.gradients(g.losses.crossEntropy(x.matmul(w).add(b), labels), [w, b]))
}

/** The shortest of the epochs after the first, as for every peer. */
async function epoch(): Promise<number> {
  const { train } = await g.datasets.fashionMnist()
  const dataset = g.data
    .fromTensors(train.images, train.labels)
    .map((x, y) => [x.cast('float32').div(255).flatten(1), y])
  const history = await g.fit(classifier(mlp), dataset, {
    epochs: 6,
    batchSize: 128,
    loss: g.losses.crossEntropy,
    optimizer: g.optim.adam({ learningRate: 0.001 }),
  })
  return 1e6 * Math.min(...history.epochs.slice(1).map(({ seconds }) => seconds))
}

function workOf(row: Exclude<Row, { kind: 'epoch' }>): Work {
  switch (row.kind) {
    case 'training':
      return trainingStep(row)
    case 'inference':
      return inference(row)
    case 'transformer':
      return transformerStep()
    case 'gpt':
      return gptStep()
    case 'recurrent':
      return recurrentStep()
    case 'convolutional':
      return convolutionalStep()
    case 'normalized':
      return normalizedStep()
    case 'residual':
      return residualStep()
    case 'tiny gradient':
      return tinyGradient()
  }
}

g.setSeed(1)
await report('Galvani', async (row, seconds): Promise<Measured> => {
  if (row.kind === 'epoch') return { time: await epoch() }
  const { call, limit } = workOf(row)
  const time = await (row.kind === 'tiny gradient' ? medianOfBatches : medianMicroseconds)(call, seconds)
  return { time, limit: limit() }
})
