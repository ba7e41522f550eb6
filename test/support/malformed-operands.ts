/** Malformed programs: an instruction whose operands are not what its opcode and parameters say. */

import { sizeOf } from '../../lib/base/shape.ts'
import { type Opcode, opcodes } from '../../lib/program/instructions.ts'
import { breaking, type Malformed, type MutableProgram, set } from './malformed.ts'
import { opcodeSamples } from './opcode-samples.ts'

/** Any size is right for what random fills. */
const hasSize = (opcode: Opcode, id: number): boolean => !(opcode === 'random' && id === 1)

function operandRows(opcode: Opcode): Malformed[] {
  const sample = opcodeSamples[opcode]
  const message = `instruction 0 (${opcode}): expected`
  const rows = [
    breaking(sample, `${opcode} without inputs`, message, (p) => set(p.instructions[0]!, { inputs: [] })),
    breaking(sample, `${opcode} without outputs`, message, (p) => set(p.instructions[0]!, { outputs: [] })),
    breaking(sample, `${opcode} with an input too many`, message, ({ instructions: [only] }) => {
      only!.inputs.push(only!.inputs.at(-1)!)
    }),
    breaking(sample, `${opcode} with an output too many`, message, ({ instructions: [only] }) => {
      only!.outputs.push(only!.outputs.at(-1)!)
    }),
  ]
  sample.values.forEach(({ dtype, shape }, id) => {
    const name = `value ${id}, ${dtype}[${shape}], of ${opcode}`
    const other = dtype === 'uint8' ? 'int32' : 'uint8'
    rows.push(breaking(sample, `${name} as ${other}`, message, (p) => set(p.values[id]!, { dtype: other })))
    const short = (p: MutableProgram) => set(p.values[id]!, { shape: [sizeOf(shape) - 1] })
    if (hasSize(opcode, id)) rows.push(breaking(sample, `${name} with an element less`, message, short))
  })
  return rows
}

/** Other parameters for the sample of the opcode. */
function paramRow(opcode: Opcode, rule: string, message: string, changes: object): Malformed {
  return breaking(
    opcodeSamples[opcode],
    `${opcode} with ${rule}`,
    `instruction 0 (${opcode}): expected ${message}`,
    (p) => set(p.instructions[0]!.params, changes),
  )
}

const layout = { offset: 0, batchStride: 15, leadingDimension: 5, transpose: false }
const { code, operands } = opcodeSamples.elementwise.instructions[0]!.params as unknown as {
  readonly code: readonly object[]
  readonly operands: readonly object[]
}
const { operands: attentionOperands } = opcodeSamples.attention.instructions[0]!.params as unknown as {
  readonly operands: readonly object[]
}
const withStep = (index: number, changes: object) => ({
  code: code.map((step, i) => (i === index ? { ...step, ...changes } : step)),
})
const withOperand = (changes: object) => ({ operands: [operands[0], { ...operands[1], ...changes }, operands[2]] })

const paramRows: readonly Malformed[] = [
  paramRow('matmul', 'an offset past the end', 'a to be float32 with at least 31 elements', {
    a: { ...layout, offset: 1 },
  }),
  paramRow('matmul', 'a batch stride past the end', 'a to be float32 with at least 31 elements', {
    a: { ...layout, batchStride: 16 },
  }),
  paramRow('matmul', 'a leading dimension past the end', 'a to be float32 with at least 32 elements', {
    a: { ...layout, leadingDimension: 6 },
  }),
  paramRow('matmul', 'a layout whose end overflows', 'a to be float32 with at least', {
    a: { ...layout, leadingDimension: 2 ** 31 - 1 },
  }),
  paramRow('matmul', 'a negative offset', 'a.offset to be an integer in [0, 2147483647], got -1', {
    a: { ...layout, offset: -1 },
  }),
  paramRow('matmul', 'sizes whose product overflows', 'a to be float32 with at least', {
    batch: 2 ** 31 - 1,
    m: 2 ** 31 - 1,
    n: 2 ** 31 - 1,
  }),
  paramRow(
    'matmul',
    'an unknown activation',
    'activation to be an activation (none, relu, leakyRelu, sigmoid, tanh), got swish',
    {
      activation: 'swish',
    },
  ),
  paramRow('quantizedMatmul', 'a panel more', 'weight to be uint8 with 384 elements', { n: 33 }),
  paramRow('quantizedMatmul', 'a greater depth than sums have room for', 'k of at most 131072, got 131073', {
    k: 131073,
  }),
  paramRow('quantizedMatmul', 'a row less', 'x to be float32 with 10 elements', { m: 2 }),
  paramRow('elementwise', 'nine axes', 'shape to have at most 8 axes, got 9', { shape: [1, 1, 1, 1, 1, 1, 1, 2, 3] }),
  paramRow('elementwise', 'a stride too few', '2 strides, got 1', withOperand({ strides: [1] })),
  paramRow(
    'elementwise',
    'a stride past the end',
    'operand 1 to be float32 with at least 4 elements',
    withOperand({ strides: [1, 1] }),
  ),
  paramRow(
    'elementwise',
    'an offset past the end',
    'operand 1 to be float32 with at least 4 elements',
    withOperand({ offset: 1 }),
  ),
  paramRow(
    'elementwise',
    'a stride past the beginning',
    'strides that stay inside the operand, got element -1',
    withOperand({ strides: [-1, 0] }),
  ),
  paramRow('elementwise', 'another number of patterns', '2 inputs, got 3', { operands: operands.slice(1) }),
  paramRow('elementwise', 'an unknown micro-op', 'step 0 to be a micro-op, got halve', withStep(0, { op: 'halve' })),
  paramRow('elementwise', 'an argument too few', 'step 0, add, to have 2 arguments, got 1', withStep(0, { args: [0] })),
  paramRow(
    'elementwise',
    'an argument too many',
    'step 0, add, to have 2 arguments, got 3',
    withStep(0, { args: [0, 1, 1] }),
  ),
  paramRow(
    'elementwise',
    'a register that is written later',
    'step 0 to read a register below 3, got 3',
    withStep(0, { args: [0, 3] }),
  ),
  paramRow(
    'elementwise',
    'a negative register',
    'code[0].args[0] to be an integer in [0, 2147483647], got -1',
    withStep(0, { args: [-1, 0] }),
  ),
  paramRow(
    'elementwise',
    'a register of another dtype',
    'step 0, add, to read float32, got int32',
    withStep(0, { args: [0, 2] }),
  ),
  paramRow(
    'elementwise',
    'a condition that is no bool',
    'step 3, where, to read bool, got float32',
    withStep(3, { args: [0, 3, 4] }),
  ),
  paramRow(
    'elementwise',
    'a step of another dtype',
    'step 0, add, to take float32 or float64 or int32, got uint8',
    withStep(0, { dtype: 'uint8' }),
  ),
  paramRow(
    'elementwise',
    'a cast to an unknown dtype',
    'step 1 to cast to a dtype, got float16',
    withStep(1, { to: 'float16' }),
  ),
  paramRow('elementwise', 'a result that is no register', 'a register below 7, got 7', { results: [5, 7] }),
  paramRow('elementwise', 'a result of another dtype', 'result 0 to be float32 with 6 elements, got bool[2,3]', {
    results: [6, 6],
  }),
  paramRow('copy', 'a stride past the end', 'x to be uint8 with at least 7 elements', { strides: [2, 2] }),
  paramRow('copy', 'an offset past the end', 'x to be uint8 with at least 7 elements', { offset: 1 }),
  paramRow('copy', 'a stride too many', '2 strides, got 3', { strides: [1, 3, 1] }),
  paramRow('copy', 'an extent beyond 32 bits', 'shape[0] to be an integer in [0, 2147483647], got 4294967299', {
    shape: [2 ** 32 + 3, 2],
  }),
  paramRow('pad', 'a target past the end', 'out to be int32 with at least 9 elements', { offset: 2 }),
  paramRow('pad', 'one target for two', 'strides that give distinct targets, got [2,2]', { strides: [2, 2] }),
  paramRow('pad', 'no stride', 'strides that give distinct targets, got [4,0]', { strides: [4, 0] }),
  paramRow('concat', 'an operand less', '1 operands, got 2', { inners: [4] }),
  paramRow('reduce', 'an unknown kind', 'kind to be a reduction (sum, max, min, prod), got product', {
    kind: 'product',
  }),
  paramRow('reduce', 'sizes whose product overflows', 'x to be int32 with', {
    outer: 2 ** 31 - 1,
    reduced: 2 ** 31 - 1,
    inner: 2 ** 31 - 1,
  }),
  paramRow('argmax', 'nothing to choose from', 'something to choose from, got an empty axis', { reduced: 0 }),
  paramRow('scan', 'an unknown kind', 'kind to be a reduction (sum, max, min, prod), got mean', { kind: 'mean' }),
  paramRow('scan', 'sizes whose product overflows', 'x to be int32 with', { outer: 2 ** 31 - 1, length: 2 ** 31 - 1 }),
  paramRow('recurrence', 'a length more', 'a to be float32 with 32 elements', { length: 4 }),
  paramRow('argsort', 'more than a row has', 'at most 3 elements of a row, got 4', { count: 4 }),
  paramRow('gather', 'a broken count', 'count to be an integer in [0, 2147483647], got 4.5', { count: 4.5 }),
  paramRow('takeAlongAxis', 'sizes whose product overflows', 'x to be uint8 with', {
    outer: 2 ** 31 - 1,
    rows: 2 ** 31 - 1,
    inner: 2 ** 31 - 1,
  }),
  breaking(
    opcodeSamples.scatterAlongAxis,
    'scatterAlongAxis that adds booleans',
    'instruction 0 (scatterAlongAxis): expected x to be float32 or float64 or int32, got bool',
    (p) => {
      for (const id of [0, 2, 3]) set(p.values[id]!, { dtype: 'bool' })
    },
  ),
  paramRow('attention', 'a pattern less', '4 patterns, got 3', { operands: attentionOperands.slice(1) }),
  paramRow('attention', 'an offset past the end', 'q to be float32 with at least 31 elements', {
    operands: [{ offset: 1, strides: [15, 5, 1] }, ...attentionOperands.slice(1)],
  }),
  paramRow('attention', 'columns apart', 'q with adjacent columns and no negative strides, got [0,2,2]', {
    operands: [{ offset: 0, strides: [0, 2, 2] }, ...attentionOperands.slice(1)],
  }),
  paramRow('attention', 'steps backwards', 'q with adjacent columns and no negative strides, got [0,-5,1]', {
    operands: [{ offset: 25, strides: [0, -5, 1] }, ...attentionOperands.slice(1)],
  }),
  paramRow('attentionGradient', 'a pattern less', '4 patterns, got 3', { operands: attentionOperands.slice(1) }),
  paramRow('attentionGradient', 'a query more', 'q to be float32 with at least 35 elements', { queries: 4 }),
  paramRow('attentionGradient', 'a feature less', 'dq to be float32 with 24 elements', { features: 4 }),
  paramRow('attentionGradient', 'columns apart', 'q with adjacent columns and no negative strides, got [0,2,2]', {
    operands: [{ offset: 0, strides: [0, 2, 2] }, ...attentionOperands.slice(1)],
  }),
  paramRow(
    'conv2d',
    'an unknown activation',
    'activation to be an activation (none, relu, leakyRelu, sigmoid, tanh), got swish',
    {
      activation: 'swish',
    },
  ),
  paramRow('conv2d', 'a stride of 0', 'a kernel, strides and dilations of at least 1, got 0', { strideHeight: 0 }),
  paramRow('conv2d', 'a negative padding', 'padLeft to be an integer in [0, 2147483647], got -1', { padLeft: -1 }),
  paramRow('conv2d', 'another group', 'x to be float32 with 240 elements, got float32[2,4,5,4]', { groups: 3 }),
  paramRow('conv2dInputGradient', 'a row more', 'y to be float32 with 192 elements', { outHeight: 4 }),
  paramRow('conv2dWeightGradient', 'a filter more', 'y to be float32 with 192 elements', { filters: 4 }),
  paramRow('maxPooledConv2d', 'more to pool than there is', 'at least 4 × 4 outputs to pool, got 3 × 4', {
    pooledHeight: 2,
  }),
  paramRow('maxPooledConv2d', 'a kernel of 0', 'a kernel, strides and dilations of at least 1, got 0', {
    kernelWidth: 0,
  }),
  paramRow('maxPooledConv2d', 'a column less', 'y to be float32 with 12 elements', { pooledWidth: 1 }),
  paramRow('maxPool2d', 'a plane more', 'x to be float32 with 80 elements', { planes: 4 }),
  paramRow('maxPool2d', 'a kernel of 0', 'a kernel, strides and dilations of at least 1, got 0', { kernelWidth: 0 }),
  paramRow('maxPool2dGradient', 'windows that reach too far', 'windows that reach over at most 2147483647 elements', {
    dilationHeight: 2 ** 31 - 1,
  }),
  paramRow('random', 'a distribution that has parameters', '2 operands, got 1', { distribution: 'gamma' }),
  paramRow(
    'random',
    'an unknown distribution',
    'distribution to be a distribution (uniform, normal, exponential, gumbel, integer, truncatedNormal, gamma, beta, poisson), got cauchy',
    {
      distribution: 'cauchy',
    },
  ),
]

export const malformedOperands: readonly Malformed[] = [...opcodes.flatMap(operandRows), ...paramRows]
