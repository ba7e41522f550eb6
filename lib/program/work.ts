/** How much an instruction has to do, whatever backend does it. */
import { bytesPerElement } from '../base/dtype.ts'
import { sizeOf } from '../base/shape.ts'
import type { Convolution, Instruction, InstructionParams, Opcode } from './instructions.ts'
import { type Program, valueBytes } from './program.ts'

/** Operations on real numbers; a function such as exp or √ counts as one, moving and comparing labels as none. */
const flops: { readonly [K in Opcode]: (params: Readonly<InstructionParams[K]>) => number } = {
  matmul: ({ batch, m, n, k }) => 2 * batch * m * n * k,
  elementwise: ({ shape, code }) => sizeOf(shape) * code.filter(({ op }) => op !== 'identity' && op !== 'cast').length,
  copy: () => 0,
  pad: () => 0,
  concat: () => 0,
  reduce: ({ outer, reduced, inner }) => outer * reduced * inner,
  argmax: ({ outer, reduced, inner }) => outer * reduced * inner,
  scan: ({ outer, length, inner }) => outer * length * inner,
  recurrence: ({ outer, length, inner }) => 2 * outer * length * inner,
  argsort: ({ rows, columns }) => rows * columns * Math.ceil(Math.log2(Math.max(columns, 2))),
  // The greatest, the difference from it, exp, sum and quotient; with labels, the gradient's difference too.
  softmax: ({ rows, columns }) => 5 * rows * columns,
  logSoftmax: ({ rows, columns }) => 5 * rows * columns,
  softmaxCrossEntropy: ({ rows, columns }) => 6 * rows * columns,
  gather: () => 0,
  scatterAdd: ({ rowSize, count }) => rowSize * count,
  takeAlongAxis: () => 0,
  scatterAlongAxis: ({ outer, count, inner, accumulate }) => (accumulate ? outer * count * inner : 0),
  // Two products and a softmax.
  attention: ({ batch, queries, keys, features, values }) =>
    sizeOf(batch) * queries * keys * (2 * features + 2 * values + 5),
  // Multiplications and additions, about; of the iterations of eigh and svd some eight sweeps.
  cholesky: ({ batch, n }) => (batch * n ** 3) / 3,
  triangularSolve: ({ batch, n, columns }) => batch * n ** 2 * columns,
  solve: ({ batch, n, columns }) => batch * ((2 / 3) * n ** 3 + 2 * n ** 2 * columns),
  determinant: ({ batch, n }) => (2 / 3) * batch * n ** 3,
  qr: ({ batch, rows, columns }) => 4 * batch * rows * columns * Math.min(rows, columns),
  eigh: ({ batch, n }) => 48 * batch * n ** 3,
  svd: ({ batch, rows, columns }) => 48 * batch * rows * columns * Math.min(rows, columns),
  random: () => 0,
  sgd: ({ size }) => 2 * size,
  momentum: ({ size, nesterov }) => (nesterov ? 6 : 4) * size,
  adam: ({ size, weightDecay }) => (weightDecay === 0 ? 13 : 14) * size,
  conv2d: convolutionFlops,
  conv2dInputGradient: convolutionFlops,
  conv2dWeightGradient: convolutionFlops,
  maxPool2d: ({ planes, outHeight, outWidth, kernelHeight, kernelWidth }) =>
    planes * outHeight * outWidth * kernelHeight * kernelWidth,
  maxPool2dGradient: ({ planes, outHeight, outWidth, kernelHeight, kernelWidth }) =>
    planes * outHeight * outWidth * kernelHeight * kernelWidth,
}

/** Of all windows, also where they meet padding. */
function convolutionFlops(p: Convolution): number {
  const { batch, groups, channels, filters, outHeight, outWidth, kernelHeight, kernelWidth } = p
  return 2 * batch * groups * channels * filters * outHeight * outWidth * kernelHeight * kernelWidth
}

export const flopsOf = ({ opcode, params }: Instruction): number =>
  (flops[opcode] as (params: InstructionParams[Opcode]) => number)(params)

/** Bytes of the operands, each once, and of the results: what has to be moved if none is in a register. */
export function bytesOf({ values }: Program, { opcode, inputs, outputs, params }: Instruction): number {
  const read = new Set(inputs)
  let bytes = 0
  // Of a table only the rows that are asked for.
  if (opcode === 'gather' || opcode === 'scatterAdd') {
    read.delete(inputs[0]!)
    bytes = params.count * params.rowSize * bytesPerElement(values[inputs[0]!]!.dtype)
  }
  const written = opcode === 'scatterAdd' ? [] : outputs
  for (const id of [...read, ...written]) bytes += valueBytes(values[id]!)
  return opcode === 'scatterAdd'
    ? bytes + params.count * params.rowSize * bytesPerElement(values[outputs[0]!]!.dtype)
    : bytes
}

/** Bytes of all the memory that a run of the program touches. */
export function workingSet(program: Program): number {
  const bound = program.values.filter(({ place }) => place.kind !== 'arena')
  const places = new Map(
    bound.map((value) => [`${value.place.kind} ${(value.place as { index: number }).index}`, value]),
  )
  return [...places.values()].reduce((sum, value) => sum + valueBytes(value), program.arenaBytes)
}
