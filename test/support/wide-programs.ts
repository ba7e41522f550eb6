/** Programs of one instruction with little data and great parameters: what they cost is what their data cost. */

import type { Backend } from '../../lib/backend/backend.ts'
import type { DType, TypedArray } from '../../lib/base/dtype.ts'
import type { InstructionParams, Opcode } from '../../lib/program/instructions.ts'
import type { Windows } from '../../lib/program/schema.ts'
import { checkInstruction } from './instruction-contract.ts'
import { instruction, program, runInstruction, typed, value } from './run.ts'

interface Wide {
  readonly name: string
  readonly opcode: Opcode
  readonly params: InstructionParams[Opcode]
  readonly inputs: readonly TypedArray[]
  readonly outputs: readonly (readonly [DType, number])[]
}

const most = 2 ** 31 - 1

/** Numbers without order, none of them alike. */
const noise = (size: number): TypedArray => Float32Array.from({ length: size }, (_, i) => Math.sin(i * 37 + 1))

const nothing = new Float32Array(0)
const noBytes = new Uint8Array(0)

function wide<K extends Opcode>(
  name: string,
  opcode: K,
  params: InstructionParams[K],
  inputs: readonly TypedArray[],
  outputs: readonly (number | readonly [DType, number])[],
): Wide {
  const typedOutputs = outputs.map((x) => (typeof x === 'number' ? (['float32', x] as const) : x))
  return { name: `${opcode}: ${name}`, opcode, params, inputs, outputs: typedOutputs }
}

const images: Windows = {
  ...{ height: 8, width: 8, kernelHeight: 1, kernelWidth: 1, outHeight: 8, outWidth: 8 },
  ...{ strideHeight: 1, strideWidth: 1, padTop: 0, padLeft: 0, dilationHeight: 1, dilationWidth: 1 },
}

/** Windows over 8×8 images that reach far beyond them, by what does so. */
const farWindows: Readonly<Record<string, Windows>> = {
  'a dilation of 2²⁶': { ...images, kernelWidth: 2, dilationWidth: 2 ** 26, padLeft: 2 ** 26 - 3, outWidth: 9 },
  'dilations of 2¹⁵': {
    ...{ ...images, kernelHeight: 2, kernelWidth: 2, dilationHeight: 2 ** 15, dilationWidth: 2 ** 15 },
    ...{ padTop: 2 ** 15 - 5, padLeft: 2 },
  },
  'strides of 2¹⁴': {
    ...{ ...images, kernelHeight: 3, kernelWidth: 2, strideHeight: 2 ** 14, strideWidth: 2 ** 14, padLeft: 1 },
    ...{ outHeight: 3, outWidth: 3, padTop: 2 ** 14 - 1 },
  },
  'padding of 2³⁰': { ...images, kernelHeight: 2, padTop: 2 ** 30, padLeft: 2 ** 30, outHeight: 3 },
}

/** Windows of great kernels, too, for what is pooled. */
const wideWindows: Readonly<Record<string, Windows>> = {
  ...farWindows,
  'a kernel of 2²⁶': { ...images, kernelWidth: 2 ** 26, padLeft: 2 ** 25, outWidth: 9 },
  'a kernel of 2¹⁵ × 2¹⁵': {
    ...{ ...images, kernelHeight: 2 ** 15, kernelWidth: 2 ** 15, padTop: 2 ** 14, padLeft: 2 ** 14 },
    ...{ outHeight: 9, outWidth: 9 },
  },
  'a kernel of 2¹³ with dilation 2¹³': {
    ...{ ...images, kernelWidth: 2 ** 13, dilationWidth: 2 ** 13, padLeft: 2 ** 25, outWidth: 2 ** 10 },
    ...{ strideWidth: 5, outHeight: 2 },
  },
}

/** A kernel that is data as well, and is cut into pieces: rows of it, and parts of a row. */
const greatKernels: Readonly<Record<string, Windows>> = {
  'a kernel of 2 × 2¹⁴': { ...images, kernelHeight: 2, kernelWidth: 2 ** 14, padLeft: 2 ** 13 },
  'a kernel of 2⁹ × 2⁶': {
    ...{ ...images, kernelHeight: 2 ** 9, kernelWidth: 2 ** 6, padTop: 2 ** 8, padLeft: 2 ** 5, outHeight: 20 },
    outWidth: 30,
  },
}

const pooled = Object.entries(wideWindows).flatMap(([name, windows]) => {
  const [size, out] = [3 * windows.height * windows.width, 3 * windows.outHeight * windows.outWidth]
  const params = { planes: 3, ...windows }
  const x = noise(size)
  return [
    wide(name, 'maxPool2d', params, [x, x], [out]),
    wide(name, 'maxPool2dGradient', { ...params, rectified: false }, [x, noise(out)], [size]),
  ]
})

const pooledBy = ({ outHeight, outWidth }: Windows) => ({
  ...{ pooledHeight: Math.floor(outHeight / 2), pooledWidth: Math.floor(outWidth / 2) },
})

const convolved = Object.entries({ ...farWindows, ...greatKernels }).flatMap(([name, windows]) => {
  const params = { batch: 2, groups: 1, channels: 2, filters: 3, ...windows }
  const x = noise(4 * windows.height * windows.width)
  const w = noise(6 * windows.kernelHeight * windows.kernelWidth)
  const y = noise(6 * windows.outHeight * windows.outWidth)
  return [
    wide(name, 'conv2d', { ...params, activation: 'relu', slope: 0 }, [x, w], [y.length]),
    wide(
      name,
      'maxPooledConv2d',
      { ...params, ...pooledBy(windows), activation: 'relu', slope: 0 },
      [x, w],
      [6 * pooledBy(windows).pooledHeight * pooledBy(windows).pooledWidth],
    ),
    wide(name, 'conv2dInputGradient', params, [y, w], [x.length]),
    wide(name, 'conv2dWeightGradient', params, [x, y], [w.length]),
  ]
})

const many = { ...images, outHeight: 0 }

/** Great extents beside one of 0. */
const empty = [
  wide(
    'no filters, many outputs',
    'conv2dInputGradient',
    { batch: 1, groups: 1, channels: 1, filters: 0, ...images, outHeight: 2 ** 30, outWidth: 1 },
    [nothing, nothing],
    [64],
  ),
  wide(
    'no outputs, many images',
    'conv2dWeightGradient',
    { batch: most, groups: 1, channels: 8, filters: 8, ...many, height: 0 },
    [nothing, nothing],
    [64],
  ),
  wide(
    'rows of no outputs',
    'maxPool2dGradient',
    { planes: 1, ...images, outHeight: most, outWidth: 0, rectified: true },
    [noise(64), nothing],
    [64],
  ),
  wide(
    'many steps of nothing',
    'loop',
    {
      ...{ length: most, reverse: false, constants: 0 },
      body: program({
        values: [value('float32', [0], 'input', 0), value('float32', [0], 'result', 0)],
        instructions: [instruction('copy', { shape: [0], offset: 0, strides: [1] }, [0], [1])],
        inputCount: 1,
        resultCount: 1,
      }),
    },
    [nothing],
    [0],
  ),
  wide('no rows', 'reduce', { kind: 'sum', outer: 0, reduced: most, inner: most }, [nothing], [0]),
  wide('no columns', 'reduce', { kind: 'prod', outer: most, reduced: 0, inner: 0 }, [nothing], [0]),
  wide(
    'no outputs',
    'quantizedMatmul',
    { m: most, n: 0, k: 0, activation: 'relu', slope: 0 },
    [nothing, noBytes, nothing],
    [0],
  ),
  wide(
    'no rows',
    'quantizedMatmul',
    { m: 0, n: 7, k: 0, activation: 'none', slope: 0 },
    [nothing, noBytes, noise(7)],
    [0],
  ),
  wide('of nothing', 'moments', { outer: most, channels: 1, inner: 0 }, [nothing], [1, 1]),
  wide('of nothing', 'deviationSums', { outer: most, channels: 1, inner: 0 }, [nothing, noise(1), nothing], [1, 1]),
  wide('no channels', 'moments', { outer: most, channels: 0, inner: most }, [nothing], [0, 0]),
  wide('of nothing', 'argmax', { outer: most, reduced: most, inner: 0 }, [nothing], [['int32', 0]]),
  wide('of nothing', 'scan', { kind: 'sum', outer: most, length: 0, inner: most, reverse: false }, [nothing], [0]),
  wide('of nothing', 'recurrence', { outer: most, length: 0, inner: most, reverse: true }, [nothing, nothing], [0]),
  wide('no columns', 'argsort', { rows: most, columns: 0, count: 0, descending: false }, [nothing], [['int32', 0]]),
  wide('no rows', 'argsort', { rows: 0, columns: most, count: most, descending: false }, [nothing], [['int32', 0]]),
  wide('of nothing', 'softmax', { rows: most, columns: 0 }, [nothing], [0]),
  wide('of nothing', 'concat', { outer: most, inners: [0, 0] }, [nothing, nothing], [0]),
  wide('of nothing', 'copy', { shape: [most, 0, most], offset: 0, strides: [1, 1, 1] }, [noise(1)], [0]),
  wide('of nothing', 'eigh', { batch: most, n: 0 }, [nothing], [0, 0]),
  wide('of nothing', 'solve', { batch: most, n: 0, columns: most }, [nothing, nothing], [0]),
  wide('of nothing', 'qr', { batch: most, rows: most, columns: 0 }, [nothing], [0, 0]),
]

export const widePrograms: readonly Wide[] = [...pooled, ...convolved, ...empty]

/** Runs one, and holds what it gives to the numeric contract. */
export function checkWide(backend: Backend, { opcode, params, inputs, outputs }: Wide): void {
  const results = runInstruction(backend, opcode, params, inputs, outputs)
  if (results.every(({ length }) => length === 0)) return
  checkInstruction(
    instruction(
      opcode,
      params,
      inputs.map((_, i) => i),
      outputs.map((_, i) => inputs.length + i),
    ),
    inputs.map((x) => typed(x)),
    results.map((data, i) => ({ dtype: outputs[i]![0], data })),
  )
}
