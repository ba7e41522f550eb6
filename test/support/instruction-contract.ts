/** How far each output of one instruction may be from the reference, given its operands: the numeric contract, by opcode. */
import { createReferenceBackend } from '../../lib/backend/reference/index.ts'
import type { DType, TypedArray } from '../../lib/base/dtype.ts'
import { denseStrides, sizeOf } from '../../lib/base/shape.ts'
import type { Instruction, InstructionOf, Opcode } from '../../lib/program/instructions.ts'
import { microOps, microResultDType } from '../../lib/program/micro-ops.ts'
import type { Program } from '../../lib/program/program.ts'
import type { Convolution } from '../../lib/program/schema.ts'
import { runInstruction, type Typed, typed } from './run.ts'
import { accumulated, type Contract, exact, expectClose, ulps } from './tolerance.ts'

const reference = createReferenceBackend()

type Given<K extends Opcode> = {
  readonly params: InstructionOf<K>['params']
  readonly inputs: readonly TypedArray[]
  readonly expected: readonly TypedArray[]
}

/** The contract of each output. */
type Contracts<K extends Opcode> = { of(given: Given<K>): Contract[] }['of']

const same = ({ expected }: { expected: readonly TypedArray[] }): Contract[] => expected.map(() => exact)

/** Magnitudes leave out what is not finite (it has to match), and grow without bound where float32 may overflow. */
const magnitude = (x: number): number => (Number.isFinite(x) ? (Math.abs(x) > 2 ** 125 ? Infinity : Math.abs(x)) : 0)

/** A step between denormals, in epsilons: what a power of e this small may be off before it is enlarged again. */
const denormal = 2 ** -125

/** Infinite where an element is not finite. */
function largest(x: TypedArray): number {
  let max = 0
  for (const value of x) max = Number.isFinite(value) ? Math.max(max, Math.abs(value)) : Infinity
  return max
}

const magnitudes = (x: TypedArray): TypedArray => Float64Array.from(x, magnitude)

const epsilons = (count: number, of: (i: number) => number): Contract => ({
  epsilons: Float64Array.from({ length: count }, (_, i) => of(i)),
})

/** Of what runs programs: exact where all that they do is, or else left to what is tested of its own. */
const ofPrograms = ({ params, expected }: { params: object; expected: readonly TypedArray[] }): Contract[] =>
  Object.values(params).every((x) => typeof x !== 'object' || isExact(x as Program))
    ? same({ expected })
    : expected.map(({ length }) => epsilons(length, () => Infinity))

const isExact = ({ instructions }: Program): boolean =>
  instructions.every((next) => (exactOpcodes as readonly string[]).includes(next.opcode))

const exactOpcodes = ['copy', 'pad', 'concat', 'argmax', 'gather', 'takeAlongAxis', 'scatterAlongAxis'] as const

const contracts: { readonly [K in Exclude<Opcode, 'elementwise'>]: Contracts<K> } = {
  matmul({ params, inputs, expected }) {
    if (expected[0] instanceof Int32Array) return same({ expected })
    const size = params.batch * params.m * params.n
    const [terms] = runInstruction(
      reference,
      'matmul',
      { ...params, activation: 'none', precision: 'float32' },
      inputs.map(magnitudes),
      [['float64', size]],
    )
    const sum = accumulated(params.k + inputs.length - 2, terms!) as { epsilons: Float64Array }
    const steepest = params.activation === 'leakyRelu' ? Math.max(1, Math.abs(params.slope)) : 1
    const rounding = params.activation === 'none' || params.activation === 'relu' ? 0 : 2
    return [epsilons(size, (i) => sum.epsilons[i]! * steepest + rounding * magnitude(expected[0]![i]!))]
  },
  quantizedMatmul: ({ params: { activation } }) => [
    activation === 'sigmoid' || activation === 'tanh' ? ulps(2) : exact,
  ],
  copy: same,
  pad: same,
  concat: same,
  reduce({ params, inputs: [x], expected }) {
    if (params.kind !== 'sum' || x instanceof Int32Array) return same({ expected })
    const [terms] = runInstruction(reference, 'reduce', params, [magnitudes(x!)], [['float64', expected[0]!.length]])
    return [accumulated(params.reduced, terms!)]
  },
  moments({ params, inputs: [x], expected: [mean, variance] }) {
    const { outer, channels, inner } = params
    const count = outer * inner
    const sums = (values: TypedArray) =>
      runInstruction(
        reference,
        'moments',
        params,
        [values],
        [
          ['float64', channels],
          ['float64', channels],
        ],
      )
    const [terms] = sums(magnitudes(x!))
    const factor = (accumulated(count, 1) as { epsilons: number }).epsilons
    const greatest = new Float64Array(channels)
    x!.forEach((value, i) => {
      const channel = Math.floor(i / inner) % channels
      greatest[channel] = Math.max(greatest[channel]!, magnitude(value))
    })
    // Beside the sum's, what a mean that is off takes from or gives to the squares.
    const spread = (i: number) => {
      const [lost, deviation] = [greatest[i]!, Math.sqrt(magnitude(variance![i]!))]
      return factor * (magnitude(variance![i]!) + lost * deviation + 2 ** -23 * lost * lost)
    }
    return [epsilons(mean!.length, (i) => factor * terms![i]!), epsilons(variance!.length, spread)]
  },
  deviationSums({ params, inputs: [x, mean, y] }) {
    const { outer, channels, inner } = params
    const operands = [magnitudes(x!), Float64Array.from(mean!, (value) => -magnitude(value)), magnitudes(y!)]
    const outputs = [0, 1].map(() => ['float64', channels] as const)
    const terms = runInstruction(reference, 'deviationSums', params, operands, outputs)
    return terms.map((of) => accumulated(outer * inner, of))
  },
  argmax: same,
  scan: same,
  recurrence: same,
  argsort: same,
  softmax({ params, inputs: [x], expected: [out] }) {
    const { errors } = softmaxErrors(params, x!, out!)
    return [epsilons(out!.length, errors)]
  },
  logSoftmax({ params, inputs: [x], expected: [out] }) {
    const { distances, terms } = softmaxErrors(params, x!, out!)
    return [epsilons(out!.length, (i) => distances(i) + magnitude(out![i]!) + terms)]
  },
  softmaxCrossEntropy({ params, inputs: [logits, labels], expected: [losses, gradient] }) {
    const { rows, columns } = params
    const [softmax] = runInstruction(
      reference,
      'softmax',
      params,
      [logits!],
      [[gradient instanceof Float64Array || losses instanceof Float64Array ? 'float64' : 'float32', rows * columns]],
    )
    const { distances, errors, terms } = softmaxErrors(params, logits!, softmax!)
    const weights = weightsOf(params, labels!)
    const sumOf = (row: number, f: (i: number) => number) => {
      let sum = 0
      for (let i = row * columns; i < (row + 1) * columns; i++) sum += f(i)
      return sum
    }
    const loss = (i: number) =>
      magnitude(weights[i]!) * (2 * distances(i) + 2 * Math.log(columns) + terms) * (1 + Math.sqrt(columns))
    const total = (row: number) => sumOf(row, (i) => magnitude(weights[i]!))
    const slope = (i: number) => {
      const sum = total(Math.floor(i / columns))
      // A vanishing probability times an infinite sum of labels is NaN or infinite, as it vanishes or not.
      if (softmax![i]! < 2 ** -100 && !Number.isFinite(sumOf(Math.floor(i / columns), (j) => weights[j]!)))
        return Infinity
      return (errors(i) + softmax![i]! * terms + denormal) * sum + 2 * magnitude(weights[i]!)
    }
    const ofLosses = epsilons(rows, (row) => sumOf(row, loss))
    return gradient ? [ofLosses, epsilons(rows * columns, slope)] : [ofLosses]
  },
  loop: ofPrograms,
  whileLoop: ofPrograms,
  branch: ofPrograms,
  gather: same,
  scatterAdd: same,
  takeAlongAxis: same,
  scatterAlongAxis: same,
  demand: same,
  attention({ params, inputs: [q, k, v, mask], expected: [out, logSums] }) {
    const { features, keys, scale } = params
    // The scores are off by what their products lost, which exp enlarges; the rest is a mean of the values.
    const score = 4 * Math.sqrt(features) * features * largest(q!) * largest(k!) * Math.abs(scale)
    const added = mask === undefined || mask instanceof Uint8Array ? 0 : largest(mask)
    const relative = 4 * (score + added) + 2 * Math.sqrt(keys) + 8
    const isOrdinary = relative < 2 ** 20 && largest(v!) < 2 ** 100
    return [out, logSums].map((x, i) => {
      const bound = isOrdinary ? relative * (i === 0 ? largest(v!) : 1) + 2 * Math.log(keys + 1) : Infinity
      return epsilons(x!.length, () => bound + denormal)
    })
  },
  attentionGradient({ params, inputs: [q, k, v, cotangent, out, logSums], expected }) {
    const { features, values, keys, queries, scale } = params
    const [least, greatest] = [Math.min(...logSums!), features * largest(q!) * largest(k!) * Math.abs(scale)]
    const relative = 8 * Math.sqrt(features) * greatest + 4 * largest(logSums!.filter(Number.isFinite)) + 16
    const weight = Math.exp(greatest - Math.min(least, 0))
    const slope = Math.abs(scale) * weight * values * largest(cotangent!) * (largest(v!) + largest(out!))
    const terms = relative + 4 * (keys + queries + values)
    const magnitudes = [
      keys * slope * largest(k!),
      queries * slope * largest(q!),
      queries * weight * largest(cotangent!),
    ]
    return expected.map((x, i) => {
      const bound = terms * magnitudes[i]! + denormal
      return epsilons(x.length, () => (Number.isFinite(least) && bound < 2 ** 100 ? bound : Infinity))
    })
  },
  cholesky: same,
  triangularSolve: same,
  solve: same,
  // The logarithm alone is not defined to the bit; a sum of several may cancel.
  determinant: ({ params: { batch, n } }) => [exact, exact, epsilons(batch, () => Math.max(n, 1) * 128)],
  lu: same,
  matrixExp: same,
  qr: same,
  eigh: same,
  svd: same,
  random: same,
  sgd({ params, inputs: [p, g, learningRate] }) {
    return [epsilons(params.size, (i) => magnitude(p![i]!) + 2 * magnitude(learningRate![0]! * g![i]!))]
  },
  momentum({ params, inputs: [p, g, v, learningRate] }) {
    const velocity = (i: number) => 2 * (magnitude(params.momentum * v![i]!) + magnitude(g![i]!))
    const update = (i: number) => Math.abs(learningRate![0]!) * 4 * (velocity(i) + magnitude(g![i]!))
    return [epsilons(params.size, (i) => magnitude(p![i]!) + update(i)), epsilons(params.size, velocity)]
  },
  adam({ params, inputs: [p, g, m, v, learningRate, step], expected: [, , newV] }) {
    const { size, beta1, beta2, epsilon } = params
    const first = (i: number) => 4 * (magnitude(beta1 * m![i]!) + magnitude((1 - beta1) * g![i]!) + denormal)
    const second = (i: number) => 4 * (magnitude(beta2 * v![i]!) + magnitude(g![i]! ** 2))
    const stepSize = Math.abs(learningRate![0]! / (1 - beta1 ** step![0]!))
    const bias2 = 1 - beta2 ** step![0]!
    const update = (i: number) => (4 * stepSize * first(i)) / (Math.sqrt(magnitude(newV![i]!) / bias2) + epsilon)
    const parameter = (i: number) => 4 * magnitude(p![i]!) + update(i) + (second(i) === Infinity ? Infinity : 0)
    return [parameter, first, second].map((f) => epsilons(size, f))
  },
  conv2d({ params, inputs, expected: [out] }) {
    const errors = convolutionErrors('conv2d', params, inputs, out!.length)
    const steepest = params.activation === 'leakyRelu' ? Math.max(1, Math.abs(params.slope)) : 1
    const rounding = params.activation === 'none' || params.activation === 'relu' ? 0 : 2
    return [epsilons(out!.length, (i) => errors[i]! * steepest + rounding * magnitude(out![i]!))]
  },
  maxPooledConv2d({ params, inputs, expected: [out] }) {
    const { outHeight: height, outWidth: width, pooledHeight, pooledWidth } = params
    const planes = params.batch * params.groups * params.filters
    const wide = inputs.map((x) => Float64Array.from(x))
    const [y] = runInstruction(reference, 'conv2d', params, wide, [['float64', planes * height * width]])
    const [contract] = contracts.conv2d({ params, inputs: wide, expected: [y!] })
    const errors = (contract as { epsilons: Float64Array }).epsilons
    const plane = pooledHeight * pooledWidth
    // As far as the farthest of a window: any may be the greatest.
    return [
      epsilons(out!.length, (i) => {
        const [row, column] = [2 * Math.floor((i % plane) / pooledWidth), 2 * (i % pooledWidth)]
        const first = Math.floor(i / plane) * height * width + row * width + column
        return Math.max(...[first, first + 1, first + width, first + width + 1].map((place) => errors[place]!))
      }),
    ]
  },
  conv2dInputGradient: ({ params, inputs, expected: [out] }) => [
    { epsilons: convolutionErrors('conv2dInputGradient', params, inputs, out!.length) },
  ],
  conv2dWeightGradient: ({ params, inputs, expected: [out] }) => [
    { epsilons: convolutionErrors('conv2dWeightGradient', params, inputs, out!.length) },
  ],
  maxPool2d: same,
  maxPool2dGradient: same,
}

/** Whether kernels may compute by tiles: 4×4 outputs, or the 3×3 elements of a kernel, together from all that these meet. */
const isOfTiles = (p: Convolution): boolean =>
  p.kernelHeight === 3 && p.kernelWidth === 3 && Math.max(p.strideHeight, p.strideWidth) === 1 && p.dilationHeight === 1

/** The greatest of each sum and of those that may be in a tile with it, which may reach beyond the last row and column. */
function greatestBeside(p: Convolution, opcode: 'conv2d' | 'conv2dInputGradient', sums: TypedArray): Float64Array {
  const [height, width] = opcode === 'conv2d' ? [p.outHeight, p.outWidth] : [p.height, p.width]
  return Float64Array.from(sums, (_, i) => {
    const [row, column] = [Math.floor(i / width) % height, i % width]
    let most = 0
    for (let y = Math.max(row - 3, 0); y <= Math.min(row + 3, height - 1); y++)
      for (let x = Math.max(column - 3, 0); x <= Math.min(column + 3, width - 1); x++)
        most = Math.max(most, sums[i + (y - row) * width + x - column]!)
    return most
  })
}

/** The greatest sum of each kernel. */
function greatestOfKernels(sums: TypedArray): Float64Array {
  return Float64Array.from(sums, (_, i) => Math.max(...sums.subarray(i - (i % 9), i - (i % 9) + 9)))
}

type ConvolutionOpcode = 'conv2d' | 'conv2dInputGradient' | 'conv2dWeightGradient'

/** The error of each sum of a convolution without its activation. */
function convolutionErrors(
  opcode: ConvolutionOpcode,
  params: Convolution,
  inputs: readonly TypedArray[],
  size: number,
): Float64Array {
  const plain = { ...params, activation: 'none', slope: 0 } as const
  const [sums] = runInstruction(reference, opcode, plain, inputs.map(magnitudes), [['float64', size]])
  const together = () =>
    opcode === 'conv2dWeightGradient' ? greatestOfKernels(sums!) : greatestBeside(params, opcode, sums!)
  const terms = isOfTiles(params) ? together() : sums!
  const { batch, channels, filters, kernelHeight, kernelWidth, outHeight, outWidth } = params
  const kernel = kernelHeight * kernelWidth
  const depth = {
    conv2d: channels * kernel + 1,
    conv2dInputGradient: filters * kernel,
    conv2dWeightGradient: batch * outHeight * outWidth,
  }
  return (accumulated(depth[opcode], terms) as { epsilons: Float64Array }).epsilons
}

/** Of row-wise exponentials: |x − max|, which is how much exp enlarges a rounding of x − max, and the error of softmax. */
function softmaxErrors({ rows, columns }: { rows: number; columns: number }, x: TypedArray, softmax: TypedArray) {
  const [max] = runInstruction(
    reference,
    'reduce',
    { kind: 'max', outer: rows, reduced: columns, inner: 1 },
    [Float64Array.from(x)],
    [['float64', rows]],
  )
  const distances = (i: number) => magnitude(x[i]! - max![Math.floor(i / columns)]!)
  const terms = 4 + 2 * Math.sqrt(columns)
  const errors = (i: number) => (softmax[i]! > 0 ? softmax[i]! * (distances(i) + terms) : 0)
  return { distances, errors, terms }
}

/** The labels as a row of probabilities each. */
function weightsOf({ rows, columns }: { rows: number; columns: number }, labels: TypedArray): TypedArray {
  if (!(labels instanceof Int32Array)) return labels
  const weights = new Float64Array(rows * columns)
  labels.forEach((label, row) => {
    weights[row * columns + label] = 1
  })
  return weights
}

/**
 * Throws unless the outputs are those of the reference within the contract. An elementwise group is checked step by
 * step, so `actual` must end with one output for each step of its code, as `exposed` programs have.
 */
export function checkInstruction(instruction: Instruction, inputs: readonly Typed[], actual: readonly Typed[]): void {
  const { opcode, params } = instruction
  if (opcode === 'elementwise') {
    checkSteps(instruction, inputs, actual)
    return
  }
  const outputs = actual.map(({ dtype, data }) => [dtype, data.length] as const)
  const expected = runInstruction(reference, opcode, params, inputs, outputs)
  const contractsOf = contracts[opcode] as Contracts<Opcode>
  const allowed = contractsOf({ params, inputs: inputs.map(({ data }) => data), expected })
  actual.forEach(({ data }, i) => {
    expectClose(data, expected[i]!, allowed[i]!, `${opcode}, output ${i}`)
  })
}

function checkSteps(
  { params }: InstructionOf<'elementwise'>,
  inputs: readonly Typed[],
  actual: readonly Typed[],
): void {
  const { shape, operands, code, results } = params
  const size = sizeOf(shape)
  const registers: Typed[] = inputs.map((x, i) => {
    const [data] = runInstruction(reference, 'copy', { shape, ...operands[i]! }, [x], [[x.dtype, size]])
    return { dtype: x.dtype, data: data! }
  })
  registers.push(...actual.slice(actual.length - code.length))
  code.forEach((step, i) => {
    const args = step.args.map((register) => registers[register]!)
    const expected = runStep(step, args, microResultDType(step), size)
    const what = `${step.op} of ${args.map((x) => x.data[0]).join(', ')}, …`
    expectClose(registers[inputs.length + i]!.data, expected, ulps(ulpsOf(step)), `step ${i}, ${what}`)
  })
  results.forEach((register, i) => {
    expectClose(actual[i]!.data, registers[register]!.data, exact, `result ${i}`)
  })
}

function ulpsOf({ op, dtype }: InstructionOf<'elementwise'>['params']['code'][number]): number {
  const { ulps, ulps64 = ulps }: { ulps: number; ulps64?: number } = microOps[op]
  return dtype === 'float64' ? ulps64 : ulps
}

function runStep(
  step: InstructionOf<'elementwise'>['params']['code'][number],
  args: readonly Typed[],
  to: DType,
  size: number,
): TypedArray {
  const { arity } = microOps[step.op]
  const params = {
    shape: [size],
    operands: args.map(() => ({ offset: 0, strides: denseStrides([size]) })),
    code: [{ ...step, args: args.map((_, i) => i) }],
    results: [arity],
  }
  return runInstruction(reference, 'elementwise', params, args.map(typed), [[to, size]])[0]!
}
