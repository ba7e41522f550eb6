/** A sequence of layers of Galvani as TensorFlow.js saves it: of those that have a counterpart in Keras. */
import { isPlainObject } from '../base/options.ts'
import type { Sequential } from '../nn/containers.ts'
import type { AnyModule } from '../nn/module.ts'
import { givenTo, titleOf } from '../nn/repr.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Variable } from '../tensor/variable.ts'
import type { Refuse } from './keras-model.ts'
import type { SavedLayer, SavedModel } from './saved-model.ts'

interface Counterpart {
  readonly class_name: string
  readonly config?: Readonly<Record<string, unknown>>
  readonly weights?: Readonly<Record<string, Tensor>>
}

type Options = Readonly<Record<string, unknown>>
type Variables = Readonly<Record<string, Variable | null>>
/** Undefined where a layer was made with options that Keras has not. */
type Make = (options: Options, variables: Variables) => Counterpart | undefined

const activation =
  (name: string): Make =>
  () => ({ class_name: 'Activation', config: { activation: name } })

const withBias = (weights: Record<string, Tensor>, bias: Variable | null | undefined): Record<string, Tensor> =>
  bias == null ? weights : { ...weights, bias: bias.value }

/** [out, in, ...window] with the window first: [...window, in, out]. */
function windowFirst(weight: Tensor): Tensor {
  const axes = Array.from({ length: weight.ndim - 2 }, (_, i) => i + 2)
  return weight.permute([...axes, 1, 0])
}

const isFirst = (layout: unknown): boolean => layout === undefined || String(layout).startsWith('NC')
const formatOf = (layout: unknown): string => (isFirst(layout) ? 'channels_first' : 'channels_last')

/** No padding, or as much as keeps the extents; other amounts have no word in Keras. */
const paddingOf = (padding: unknown): string | undefined =>
  padding === undefined || padding === 0 || padding === 'valid' ? 'valid' : padding === 'same' ? 'same' : undefined

const convolution =
  (axes: number): Make =>
  (options, { weight, bias }) => {
    const padding = paddingOf(options.padding)
    if (padding === undefined || (options.groups ?? 1) !== 1 || (axes === 1 && isFirst(options.layout)))
      return undefined
    const kernel = windowFirst(weight!.value)
    return {
      class_name: `Conv${axes}D`,
      config: {
        ...{ filters: kernel.shape.at(-1), kernel_size: kernel.shape.slice(0, -2), padding },
        ...{ strides: options.stride ?? 1, dilation_rate: options.dilation ?? 1 },
        ...{ data_format: formatOf(options.layout), use_bias: bias !== null },
      },
      weights: withBias({ kernel }, bias),
    }
  }

const pooling =
  (kind: string, axes: number): Make =>
  (options) => {
    const padding = paddingOf(options.padding)
    const isPlain = options.ceilMode !== true && (options.dilation ?? 1) === 1
    if (padding === undefined || !isPlain || (axes === 1 && isFirst(options.layout))) return undefined
    if (kind === 'Average' && padding === 'same' && options.countIncludePad !== false) return undefined
    const size = options.kernelSize
    return {
      class_name: `${kind}Pooling${axes}D`,
      config: { pool_size: size, strides: options.stride ?? size, padding, data_format: formatOf(options.layout) },
    }
  }

const batchNorm =
  (rank: number): Make =>
  ({ momentum, epsilon, axis, affine }, { weight, bias, runningMean, runningVariance }) => ({
    class_name: 'BatchNormalization',
    config: { rank, axis: axis ?? 1, momentum: 1 - (momentum as number), epsilon, center: affine, scale: affine },
    weights: {
      ...(affine === true && { gamma: weight!.value, beta: bias!.value }),
      ...{ moving_mean: runningMean!.value, moving_variance: runningVariance!.value },
    },
  })

const layerNorm: Make = ({ shape, epsilon, affine }, { weight, bias }) => {
  if (!Array.isArray(shape) || shape.length !== 1) return undefined
  const isAffine = affine !== false
  return {
    class_name: 'LayerNormalization',
    config: { axis: -1, epsilon: epsilon ?? 1e-5, center: isAffine, scale: isAffine },
    ...(isAffine && { weights: { gamma: weight!.value, beta: bias!.value } }),
  }
}

/** By what layers are called. */
const counterparts: Readonly<Record<string, Make>> = {
  Linear: (_, { weight, bias }) => ({
    class_name: 'Dense',
    config: { units: weight!.shape[0], use_bias: bias !== null, activation: 'linear' },
    weights: withBias({ kernel: weight!.value.transpose() }, bias),
  }),
  Conv1d: convolution(1),
  Conv2d: convolution(2),
  MaxPool1d: pooling('Max', 1),
  MaxPool2d: pooling('Max', 2),
  AvgPool1d: pooling('Average', 1),
  AvgPool2d: pooling('Average', 2),
  BatchNorm1d: batchNorm(2),
  BatchNorm2d: batchNorm(4),
  LayerNorm: layerNorm,
  Embedding: (_, { weight }) => ({
    class_name: 'Embedding',
    config: { input_dim: weight!.shape[0], output_dim: weight!.shape[1] },
    weights: { embeddings: weight!.value },
  }),
  Dropout: ({ rate }) => ({ class_name: 'Dropout', config: { rate } }),
  Flatten: () => ({ class_name: 'Flatten', config: {} }),
  Identity: activation('linear'),
  ReLU: activation('relu'),
  ReLU6: activation('relu6'),
  Sigmoid: activation('sigmoid'),
  Tanh: activation('tanh'),
  SiLU: activation('swish'),
  SELU: activation('selu'),
  Softplus: activation('softplus'),
  Softsign: activation('softsign'),
  Mish: activation('mish'),
  GELU: ({ approximate }) => activation(approximate === 'tanh' ? 'gelu_new' : 'gelu')({}, {}),
  ELU: ({ alpha }) => ({ class_name: 'ELU', config: { alpha: alpha ?? 1 } }),
  LeakyReLU: ({ slope }) => ({ class_name: 'LeakyReLU', config: { alpha: slope ?? 0.01 } }),
  Softmax: ({ axis }) => ({ class_name: 'Softmax', config: { axis: axis ?? -1 } }),
}

const nameOf = (path: string, className: string): string =>
  /^\d+$/.test(path) ? `${className.toLowerCase()}_${path}` : path

export function savedSequential(
  model: Sequential<never, unknown>,
  inputShape: readonly (number | null)[] | undefined,
  refuse: Refuse,
): SavedModel {
  const weights: [string, Tensor][] = []
  const layers: SavedLayer[] = []
  for (const [path, module] of Object.entries(model.namedChildren())) {
    const counterpart = counterpartOf(module)
    if (counterpart === undefined) {
      refuse(`${titleOf(module)}(${module.extraRepr()}) (${path})`)
      continue
    }
    const { class_name, config, weights: own = {} } = counterpart
    const name = nameOf(path, class_name)
    const layer = { class_name, config: { name, trainable: true, ...config } }
    layers.push(...(class_name === 'BatchNormalization' ? withPermutes(layer) : [layer]))
    for (const [weight, value] of Object.entries(own)) weights.push([`${name}/${weight}`, value])
  }
  const shape = inputShape === undefined ? firstShape(model, refuse) : [null, ...inputShape]
  const dtype = layers[0]?.class_name === 'Embedding' ? 'int32' : 'float32'
  if (layers[0] !== undefined)
    layers[0] = { ...layers[0], config: { ...layers[0].config, batch_input_shape: shape, dtype } }
  return { topology: { class_name: 'Sequential', config: { name: 'sequential', layers } }, weights }
}

/** TensorFlow.js normalizes the last axis alone, so that of channels that are first goes there and back. */
function withPermutes(layer: SavedLayer): SavedLayer[] {
  const { name, axis, rank, ...config } = layer.config
  if (axis !== 1 || rank !== 4) return [{ ...layer, config: { name, axis, ...config } }]
  const permute = (suffix: string, dims: readonly number[]) => ({
    class_name: 'Permute',
    config: { name: `${String(name)}_${suffix}`, dims },
  })
  const last = { ...layer, config: { name, axis: -1, ...config } }
  return [permute('last', [2, 3, 1]), last, permute('first', [3, 1, 2])]
}

function counterpartOf(module: AnyModule): Counterpart | undefined {
  const title = titleOf(module)
  if (!Object.hasOwn(counterparts, title)) return undefined
  return counterparts[title]!(givenTo(module), module as unknown as Variables)
}

/** What a first linear layer takes; of others the shape has to be given. */
function firstShape(model: Sequential<never, unknown>, refuse: Refuse): (number | null)[] {
  const [first] = model
  const weight: unknown = first !== undefined && titleOf(first) === 'Linear' && (first as unknown as Variables).weight
  if (isPlainObject(weight) || !weight) refuse('a model without an inputShape')
  return [null, (weight as Variable | undefined)?.shape?.[1] ?? null]
}
