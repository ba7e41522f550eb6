/** The rows of operations that ONNX or onnxruntime cannot do, or does otherwise, with the reason. */

export interface Exception {
  /** The titles of rows; of several with the same one the second is `… #2`. */
  readonly rows: 'all' | readonly string[]
  /** What the error or the difference says. */
  readonly fault: string
  readonly reason: string
  /** Whether only onnxruntime differs, so that what is read in again gives the same values. */
  readonly ofRuntime?: boolean
}

/** Rows that end in operations that are not written: the first of these, as the error names them all. */
const without = (operation: string, reason: string, rows: Exception['rows'] = 'all'): Exception => ({
  ...{ rows, reason, fault: `${operation} (` },
})

const matrices = 'ONNX has no decomposition of matrices'
const undecomposed = (operation: string, rows?: Exception['rows']): Exception[] => [without(operation, matrices, rows)]

const divisor = [without('gcd', 'ONNX has no greatest common divisor, and it has no derivative')]
const training = (operation: string) => [without(operation, 'an update of an optimizer belongs to training')]
const drawn = [without('random', 'random numbers of ONNX follow from no key, so they are other ones')]

const differs = (reason: string, ...rows: string[]): Exception[] => [{ rows, reason, fault: 'is ' }]
const runtimeDiffers = (reason: string, ...rows: string[]): Exception[] => [
  { rows, reason, fault: 'is ', ofRuntime: true },
]

const limits = 'at −∞ the limit is ∞·0 for operators, NaN, and 0 for the library'
const passesOverNaN = 'onnxruntime passes over NaN where it looks for extremes'
const ordersNaN = 'onnxruntime puts NaN elsewhere in an order'
const reads: Exception[] = [
  { rows: 'all', fault: 'expected a value that has data', reason: 'its size is in the data, which it reads' },
]

export const exceptions: Readonly<Record<string, readonly Exception[]>> = {
  random: drawn,
  dropout: drawn,
  dropout1d: drawn,
  dropout2d: drawn,
  dropout3d: drawn,
  alphaDropout: drawn,
  polygamma: [
    without('polygamma', 'ONNX has no derivatives of the gamma function', [
      'order 1: float32[130]',
      'order 1: float32[130] #2',
      'order 2: float32[130]',
      'order 2: float32[130] #2',
      'order 5: float32[130]',
      'order 5: float32[130] #2',
      'order 1: float32[130] #3',
      'order 1: float32[130] #4',
      'order 1: uint8[130]',
      'order 2: float32[130] #3',
      'order 2: float32[130] #4',
      'order 2: uint8[130]',
      'order 30: float32[130]',
      'order 30: float32[130] #2',
      'order 30: uint8[130]',
      'order 170: float32[130]',
      'order 170: float32[130] #2',
      'order 170: uint8[130]',
    ]),
  ],
  gcd: divisor,
  lcm: divisor,
  quantizedMatmul: [without('quantizedMatmul', 'ONNX has no product that rounds its rows by themselves')],
  sgd: training('sgd'),
  momentum: training('momentum'),
  adam: training('adam'),
  output: training('adam'),
  booleanMaskSync: reads,
  nonMaxSuppressionSync: reads,
  nonzeroSync: reads,

  cholesky: undecomposed('cholesky'),
  triangularSolve: undecomposed('triangularSolve'),
  solve: undecomposed('solve'),
  inverse: undecomposed('solve'),
  cond: [{ rows: 'all', fault: matrices, reason: matrices }],
  lu: undecomposed('luU'),
  luP: undecomposed('luP'),
  luL: undecomposed('luL'),
  luU: undecomposed('luU'),
  matrixExp: undecomposed('matrixExp'),
  qr: undecomposed('qrR'),
  qrQ: undecomposed('qrQ'),
  qrR: undecomposed('qrR'),
  eigh: undecomposed('eighValues'),
  eigvalsh: undecomposed('eighValues'),
  eighValues: undecomposed('eighValues'),
  eighVectors: undecomposed('eighVectors'),
  svd: undecomposed('svdS'),
  svdU: undecomposed('svdU'),
  svdS: undecomposed('svdS'),
  svdVh: undecomposed('svdVh'),
  matrixRank: undecomposed('svdS'),
  pinv: undecomposed('svdVh'),
  leastSquares: undecomposed('svdVh'),
  lstsq: undecomposed('svdVh', ['float32[60,7,4] float32[60,7,2]', 'of low rank: float32[4,3] float32[4,2]']),
  matrixNorm: undecomposed('svdS', [
    'nuc: float32[2,3,4]',
    'nuc, other axes: float32[3,2,2]',
    '2: float32[2,3,4]',
    '2, other axes: float32[3,2,2]',
    '-2: float32[2,3,4]',
    '-2, other axes: float32[3,2,2]',
  ]),
  matrixPower: undecomposed('solve', ['float32[3,3] #3', 'float32[3,3,3] #3', 'of a view: float32[3,3] #3']),

  silu: differs(limits, 'special values: float32[23]'),
  swish: differs(limits, 'special values: float32[23]'),
  gelu: differs(limits, 'special values: float32[23]'),
  geluTanh: differs(limits, 'special values: float32[23]'),
  cast: runtimeDiffers(
    'a float out of the range of an integer type is undefined',
    'to int32: float32[102]',
    'to uint8: float32[102]',
  ),
  sinc: differs('π times the greatest floats overflows', 'special values: float32[44]', 'near 0: float32[44]'),
  atan2: differs(
    'the sign of a zero does not show in a quotient, nor that of two infinities',
    'special values: float32[44,1] float32[44]',
  ),
  floorDiv: differs('infinite operands have no remainder', 'special values: float32[44,1] float32[44]'),
  max: runtimeDiffers(passesOverNaN, 'special values: float32[13,3]', 'special values: float32[13,3] #2'),
  min: runtimeDiffers(passesOverNaN, 'special values: float32[13,3]', 'special values: float32[13,3] #2'),
  argmax: runtimeDiffers(
    passesOverNaN,
    'special values: float32[13,3]',
    'NaN before all others: float32[3,17]',
    'NaN before all others: float32[17,3]',
  ),
  aminmax: runtimeDiffers(passesOverNaN, 'over 1: float32[4,2]'),
  maxPool2d: runtimeDiffers(
    passesOverNaN,
    'pairs, ties and NaN: float32[1,2,8,34]',
    'short pairs, ties and NaN: float32[3,5,14,14]',
    'odd pairs, ties and NaN: float32[2,3,7,7]',
    'ties and NaN: float32[1,2,6,7]',
  ),
  maxPool2dGradient: [
    ...differs(
      passesOverNaN,
      'overlapping, ties and NaN: float32[2,3,6,7] float32[2,3,3,6]',
      'pairs, ties and NaN: float32[30,2,18,40] float32[30,2,9,20]',
      'short pairs, ties and NaN: float32[3,5,14,14] float32[3,5,7,7]',
    ),
    ...runtimeDiffers(
      passesOverNaN,
      'rectified, overlapping: float32[2,3,6,7] float32[2,3,3,6]',
      'rectified short pairs: float32[3,5,14,14] float32[3,5,7,7]',
      'odd pairs, ties and NaN: float32[2,3,7,7] float32[2,3,3,3]',
      'one pair, ties and NaN: float32[7,2,3,2] float32[7,2,1,1]',
    ),
  ],
  maxPool3d: runtimeDiffers(passesOverNaN, 'ties and NaN: float32[1,2,4,5,4]'),
  isIn: runtimeDiffers(ordersNaN, 'special values: float32[13] float32[3,4]'),
  kthValue: runtimeDiffers(ordersNaN, 'along 1: float32[5,14]', 'along 1: float32[5,14] #2'),
  argsort: runtimeDiffers(ordersNaN, 'along 1: float32[5,14]', 'along 0: float32[600]'),
  sort: runtimeDiffers(ordersNaN, 'along 1: float32[5,14]', 'along 0: float32[600]'),
  topk: runtimeDiffers(ordersNaN, '6 greatest along 1: float32[5,14]'),
  prod: [
    ...runtimeDiffers(
      'onnxruntime multiplies in another order, which overflows elsewhere',
      'over all: float32[99991]',
      'over [1]: float32[4,3]',
    ),
    ...runtimeDiffers('products of onnxruntime saturate, and those of the library wrap', 'over [0]: uint8[5,17]'),
  ],
  cumsum: runtimeDiffers(
    'onnxruntime rounds each sum to float32, which overflows',
    'along -1  special values: float32[2,4]',
  ),
  cumprod: differs(
    'operators round each product to float32, which overflows',
    'along -1  special values: float32[2,4]',
  ),
}
