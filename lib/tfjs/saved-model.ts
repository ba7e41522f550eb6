/** What a model becomes in the format of TensorFlow.js: a topology of Keras 2, and weights under the names that TensorFlow.js looks for. */
import type { Tensor } from '../tensor/tensor.ts'

export interface SavedLayer {
  readonly class_name: string
  readonly config: Readonly<Record<string, unknown>>
  readonly name?: string
  readonly inbound_nodes?: readonly unknown[]
}

export interface SavedModel {
  readonly topology: SavedLayer
  readonly weights: readonly (readonly [name: string, value: Tensor])[]
}

/** The layers that TensorFlow.js 4.22 has. */
export const knownLayers: ReadonlySet<string> = new Set([
  ...['Dense', 'Embedding', 'InputLayer', 'Rescaling', 'Resizing'],
  ...['Conv1D', 'Conv2D', 'Conv3D', 'Conv2DTranspose', 'Conv3DTranspose', 'DepthwiseConv2D', 'SeparableConv2D'],
  ...['1D', '2D', '3D'].flatMap((axes) => [`MaxPooling${axes}`, `AveragePooling${axes}`]),
  ...['1D', '2D'].flatMap((axes) => [`GlobalMaxPooling${axes}`, `GlobalAveragePooling${axes}`]),
  ...['BatchNormalization', 'LayerNormalization'],
  ...['SimpleRNN', 'LSTM', 'GRU', 'RNN', 'SimpleRNNCell', 'LSTMCell', 'GRUCell', 'StackedRNNCells'],
  ...[
    'Bidirectional',
    'TimeDistributed',
    'Activation',
    'ReLU',
    'LeakyReLU',
    'PReLU',
    'ELU',
    'Softmax',
    'ThresholdedReLU',
  ],
  ...['Flatten', 'Reshape', 'Permute', 'RepeatVector', 'ZeroPadding2D', 'Cropping2D', 'UpSampling2D', 'Masking'],
  ...['Add', 'Multiply', 'Average', 'Maximum', 'Minimum', 'Concatenate', 'Dot'],
  ...['Dropout', 'SpatialDropout1D', 'AlphaDropout', 'GaussianNoise', 'GaussianDropout'],
])

/** The activations that TensorFlow.js 4.22 has and that are the same there; `hard_sigmoid` is another function in Keras 3. */
export const knownActivations: ReadonlySet<string> = new Set(
  'elu selu relu relu6 linear sigmoid softplus softsign tanh softmax log_softmax swish mish gelu gelu_new'.split(' '),
)
