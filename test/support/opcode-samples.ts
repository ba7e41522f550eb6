/** One small valid program of a single instruction for each opcode, from inputs to results. */
import type { DType } from '../../lib/base/dtype.ts'
import type { InstructionParams, Opcode } from '../../lib/program/instructions.ts'
import type { Program } from '../../lib/program/program.ts'
import { nestedSamples } from './nested-samples.ts'
import { instruction, program, value } from './run.ts'

type Operands = readonly (readonly [DType, ...number[]])[]

function sample<K extends Opcode>(
  opcode: K,
  params: InstructionParams[K],
  inputs: Operands,
  outputs: Operands,
): Program {
  return program({
    values: [
      ...inputs.map(([dtype, ...shape], i) => value(dtype, shape, 'input', i)),
      ...outputs.map(([dtype, ...shape], i) => value(dtype, shape, 'result', i)),
    ],
    instructions: [
      instruction(
        opcode,
        params,
        inputs.map((_, i) => i),
        outputs.map((_, i) => inputs.length + i),
      ),
    ],
    inputCount: inputs.length,
    resultCount: outputs.length,
  })
}

const windows = {
  ...{ height: 5, width: 4, kernelHeight: 3, kernelWidth: 2, outHeight: 3, outWidth: 4 },
  ...{ strideHeight: 2, strideWidth: 1, padTop: 1, padLeft: 1, dilationHeight: 1, dilationWidth: 2 },
} as const

const convolution = { batch: 2, groups: 2, channels: 2, filters: 3, ...windows } as const

export const opcodeSamples: { readonly [K in Opcode]: Program } = {
  ...nestedSamples,
  matmul: sample(
    'matmul',
    {
      batch: 2,
      m: 3,
      n: 4,
      k: 5,
      a: { offset: 0, batchStride: 15, leadingDimension: 5, transpose: false },
      b: { offset: 1, batchStride: 0, leadingDimension: 6, transpose: true },
      activation: 'leakyRelu',
      slope: 0.1,
      precision: 'bf16',
    },
    [
      ['float32', 2, 3, 5],
      ['float32', 24],
      ['float32', 4],
    ],
    [['float32', 2, 3, 4]],
  ),
  quantizedMatmul: sample(
    'quantizedMatmul',
    { m: 3, n: 18, k: 5, activation: 'leakyRelu', slope: 0.1 },
    [
      ['float32', 3, 5],
      ['uint8', 2, 2, 16, 4],
      ['float32', 18],
      ['float32', 18],
    ],
    [['float32', 3, 18]],
  ),
  elementwise: sample(
    'elementwise',
    {
      shape: [2, 3],
      operands: [
        { offset: 0, strides: [3, 1] },
        { offset: 0, strides: [0, 1] },
        { offset: 1, strides: [-1, 0] },
      ],
      code: [
        { op: 'add', dtype: 'float32', args: [0, 1] },
        { op: 'cast', dtype: 'int32', to: 'float32', args: [2] },
        { op: 'less', dtype: 'float32', args: [3, 4] },
        { op: 'where', dtype: 'float32', args: [5, 3, 4] },
      ],
      results: [5, 6],
    },
    [
      ['float32', 2, 3],
      ['float32', 3],
      ['int32', 2],
    ],
    [
      ['bool', 2, 3],
      ['float32', 2, 3],
    ],
  ),
  copy: sample('copy', { shape: [3, 2], offset: 0, strides: [1, 3] }, [['uint8', 2, 3]], [['uint8', 3, 2]]),
  pad: sample('pad', { shape: [2, 2], offset: 1, strides: [4, 2] }, [['int32', 2, 2]], [['int32', 8]]),
  concat: sample(
    'concat',
    { outer: 2, inners: [1, 3] },
    [
      ['bool', 2, 1],
      ['bool', 2, 3],
    ],
    [['bool', 2, 4]],
  ),
  reduce: sample('reduce', { kind: 'sum', outer: 2, reduced: 3, inner: 4 }, [['int32', 2, 3, 4]], [['int32', 2, 4]]),
  moments: sample(
    'moments',
    { outer: 2, channels: 3, inner: 4 },
    [['float32', 2, 3, 4]],
    [
      ['float32', 3],
      ['float32', 3],
    ],
  ),
  deviationSums: sample(
    'deviationSums',
    { outer: 2, channels: 3, inner: 4 },
    [
      ['float32', 2, 3, 4],
      ['float32', 3],
      ['float32', 2, 3, 4],
    ],
    [
      ['float32', 3],
      ['float32', 3],
    ],
  ),
  argmax: sample('argmax', { outer: 2, reduced: 3, inner: 4 }, [['float32', 2, 3, 4]], [['int32', 2, 4]]),
  scan: sample(
    'scan',
    { kind: 'prod', outer: 2, length: 3, inner: 4, reverse: true },
    [['int32', 2, 3, 4]],
    [['int32', 2, 3, 4]],
  ),
  recurrence: sample(
    'recurrence',
    { outer: 2, length: 3, inner: 4, reverse: false },
    [
      ['float32', 2, 3, 4],
      ['float32', 2, 3, 4],
    ],
    [['float32', 2, 3, 4]],
  ),
  argsort: sample(
    'argsort',
    { rows: 2, columns: 3, count: 2, descending: true },
    [['float32', 2, 3]],
    [['int32', 2, 2]],
  ),
  softmax: sample('softmax', { rows: 2, columns: 3 }, [['float32', 2, 3]], [['float32', 2, 3]]),
  logSoftmax: sample('logSoftmax', { rows: 2, columns: 3 }, [['float32', 2, 3]], [['float32', 2, 3]]),
  softmaxCrossEntropy: sample(
    'softmaxCrossEntropy',
    { rows: 2, columns: 3 },
    [
      ['float32', 2, 3],
      ['int32', 2],
    ],
    [
      ['float32', 2],
      ['float32', 2, 3],
    ],
  ),
  gather: sample(
    'gather',
    { rows: 3, rowSize: 2, count: 4 },
    [
      ['uint8', 3, 2],
      ['int32', 4],
    ],
    [['uint8', 4, 2]],
  ),
  scatterAdd: sample(
    'scatterAdd',
    { rows: 3, rowSize: 2, count: 4 },
    [
      ['float32', 3, 2],
      ['int32', 4],
      ['float32', 4, 2],
    ],
    [['float32', 3, 2]],
  ),
  takeAlongAxis: sample(
    'takeAlongAxis',
    { outer: 2, rows: 3, count: 4, inner: 2 },
    [
      ['uint8', 2, 3, 2],
      ['int32', 2, 4, 2],
    ],
    [['uint8', 2, 4, 2]],
  ),
  scatterAlongAxis: sample(
    'scatterAlongAxis',
    { outer: 2, rows: 3, count: 4, inner: 2, accumulate: true },
    [
      ['float32', 2, 3, 2],
      ['int32', 2, 4, 2],
      ['float32', 2, 4, 2],
    ],
    [['float32', 2, 3, 2]],
  ),
  attentionGradient: sample(
    'attentionGradient',
    {
      batch: [2],
      queries: 3,
      keys: 4,
      features: 5,
      values: 2,
      operands: [
        { offset: 0, strides: [15, 5, 1] },
        { offset: 0, strides: [20, 5, 1] },
        { offset: 1, strides: [0, 3, 1] },
        { offset: 0, strides: [6, 2, 1] },
      ],
      scale: 0.5,
      causal: true,
    },
    [
      ['float32', 2, 3, 5],
      ['float32', 2, 4, 5],
      ['float32', 12],
      ['float32', 2, 3, 2],
      ['float32', 2, 3, 2],
      ['float32', 2, 3],
    ],
    [
      ['float32', 2, 3, 5],
      ['float32', 2, 4, 5],
      ['float32', 2, 4, 2],
    ],
  ),
  attention: sample(
    'attention',
    {
      batch: [2],
      queries: 3,
      keys: 4,
      features: 5,
      values: 2,
      operands: [
        { offset: 0, strides: [15, 5, 1] },
        { offset: 0, strides: [20, 5, 1] },
        { offset: 1, strides: [0, 3, 1] },
        { offset: 0, strides: [0, 0, 1] },
      ],
      scale: 0.5,
      causal: true,
    },
    [
      ['float32', 2, 3, 5],
      ['float32', 2, 4, 5],
      ['float32', 12],
      ['bool', 4],
    ],
    [
      ['float32', 2, 3, 2],
      ['float32', 2, 3],
    ],
  ),
  cholesky: sample('cholesky', { batch: 2, n: 3 }, [['float32', 2, 3, 3]], [['float32', 2, 3, 3]]),
  triangularSolve: sample(
    'triangularSolve',
    { batch: 2, n: 3, columns: 2, lower: true, transpose: true, unitDiagonal: false },
    [
      ['float32', 2, 3, 3],
      ['float32', 2, 3, 2],
    ],
    [['float32', 2, 3, 2]],
  ),
  solve: sample(
    'solve',
    { batch: 2, n: 3, columns: 2 },
    [
      ['float32', 2, 3, 3],
      ['float32', 2, 3, 2],
    ],
    [['float32', 2, 3, 2]],
  ),
  determinant: sample(
    'determinant',
    { batch: 2, n: 3 },
    [['float32', 2, 3, 3]],
    [
      ['float32', 2],
      ['float32', 2],
      ['float32', 2],
    ],
  ),
  lu: sample(
    'lu',
    { batch: 2, rows: 3, columns: 2 },
    [['float32', 2, 3, 2]],
    [
      ['float32', 2, 3, 3],
      ['float32', 2, 3, 2],
      ['float32', 2, 2, 2],
    ],
  ),
  matrixExp: sample('matrixExp', { batch: 2, n: 3 }, [['float32', 2, 3, 3]], [['float32', 2, 3, 3]]),
  qr: sample(
    'qr',
    { batch: 2, rows: 3, columns: 2 },
    [['float32', 2, 3, 2]],
    [
      ['float32', 2, 3, 2],
      ['float32', 2, 2, 2],
    ],
  ),
  eigh: sample(
    'eigh',
    { batch: 2, n: 3 },
    [['float32', 2, 3, 3]],
    [
      ['float32', 2, 3],
      ['float32', 2, 3, 3],
    ],
  ),
  svd: sample(
    'svd',
    { batch: 2, rows: 2, columns: 3 },
    [['float32', 2, 2, 3]],
    [
      ['float32', 2, 2, 2],
      ['float32', 2, 2],
      ['float32', 2, 2, 3],
    ],
  ),
  demand: sample(
    'demand',
    { size: 4, count: 3, low: -Infinity, high: Infinity, what: 'sample: expected numbers' },
    [
      ['uint8', 2, 2],
      ['float32', 3],
    ],
    [['uint8', 2, 2]],
  ),
  random: sample('random', { distribution: 'normal' }, [['int32', 2]], [['float32', 5]]),
  sgd: sample('sgd', { size: 3 }, [['float32', 3], ['float32', 3], ['float32']], [['float32', 3]]),
  momentum: sample(
    'momentum',
    { size: 3, momentum: 0.9, nesterov: true },
    [['float32', 3], ['float32', 3], ['float32', 3], ['float32']],
    [
      ['float32', 3],
      ['float32', 3],
    ],
  ),
  adam: sample(
    'adam',
    { size: 3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 },
    [['float32', 3], ['float32', 3], ['float32', 3], ['float32', 3], ['float32'], ['float32']],
    [
      ['float32', 3],
      ['float32', 3],
      ['float32', 3],
    ],
  ),
  conv2d: sample(
    'conv2d',
    { ...convolution, activation: 'leakyRelu', slope: 0.1 },
    [
      ['float32', 2, 4, 5, 4],
      ['float32', 6, 2, 3, 2],
      ['float32', 6],
    ],
    [['float32', 2, 6, 3, 4]],
  ),
  maxPooledConv2d: sample(
    'maxPooledConv2d',
    { ...convolution, pooledHeight: 1, pooledWidth: 2, activation: 'tanh', slope: 0 },
    [
      ['float32', 2, 4, 5, 4],
      ['float32', 6, 2, 3, 2],
      ['float32', 6],
    ],
    [['float32', 2, 6, 1, 2]],
  ),
  conv2dInputGradient: sample(
    'conv2dInputGradient',
    convolution,
    [
      ['float32', 2, 6, 3, 4],
      ['float32', 6, 2, 3, 2],
    ],
    [['float32', 2, 4, 5, 4]],
  ),
  conv2dWeightGradient: sample(
    'conv2dWeightGradient',
    convolution,
    [
      ['float32', 2, 4, 5, 4],
      ['float32', 2, 6, 3, 4],
    ],
    [['float32', 6, 2, 3, 2]],
  ),
  maxPool2d: sample(
    'maxPool2d',
    { planes: 3, ...windows },
    [
      ['float32', 3, 5, 4],
      ['float32', 3, 5, 4],
    ],
    [['float32', 3, 3, 4]],
  ),
  maxPool2dGradient: sample(
    'maxPool2dGradient',
    { planes: 3, ...windows, rectified: true },
    [
      ['float32', 3, 5, 4],
      ['float32', 3, 3, 4],
    ],
    [['float32', 3, 5, 4]],
  ),
}
