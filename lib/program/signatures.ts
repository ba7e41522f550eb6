/** The type rules of the program: how many operands each instruction has, of which dtypes and sizes, by its parameters. */
import { type DType, dtypes, isFloat } from '../base/dtype.ts'
import { expected, ProgramError } from '../base/errors.ts'
import { denseStrides, maxExtent, maxRank, type Shape, sizeOf } from '../base/shape.ts'
import {
  activations,
  type Convolution,
  distributionParameters,
  distributions,
  type Instruction,
  type InstructionParams,
  type LoadPattern,
  type MatrixLayout,
  type Opcode,
  reductions,
  type Windows,
} from './instructions.ts'
import { type MicroInstruction, microOps, microResultDType } from './micro-ops.ts'
import { formatType, type Program, type Value } from './program.ts'

/** The instruction that a message is about. */
export interface Site {
  readonly index: number
  readonly opcode: Opcode
}

export function refuse({ index, opcode }: Site, what: string, got: unknown): never {
  throw new ProgramError(expected(`instruction ${index} (${opcode})`, what, got))
}

/** `size` elements exactly; of a `view`, which is read through strides, at least so many. */
interface Operand {
  readonly name: string
  readonly dtype: DType
  readonly size: number
  readonly view: boolean
}

const dense = (name: string, dtype: DType, size: number): Operand => ({ name, dtype, size, view: false })
const view = (name: string, dtype: DType, size: number): Operand => ({ name, dtype, size, view: true })

interface Given {
  readonly inputs: readonly Value[]
  readonly outputs: readonly Value[]
  readonly site: Site
}

interface Signature<K extends Opcode> {
  /** The least and the greatest number of inputs, and of outputs. */
  readonly inputs: readonly [number, number]
  readonly outputs: readonly [number, number]
  /** What the first input may hold. */
  readonly dtypes: readonly DType[]
  /** The operands, where the first input holds `t`. */
  readonly operands: (
    params: Readonly<InstructionParams[K]>,
    t: DType,
    given: Given,
  ) => { inputs: readonly Operand[]; outputs: readonly Operand[] }
}

const floats: readonly DType[] = ['float32', 'float64']
const numbers: readonly DType[] = ['float32', 'float64', 'int32']

const rowwise: Signature<'softmax' | 'logSoftmax'> = {
  inputs: [1, 1],
  outputs: [1, 1],
  dtypes: floats,
  operands: ({ rows, columns }, t) => ({
    inputs: [dense('x', t, rows * columns)],
    outputs: [dense('out', t, rows * columns)],
  }),
}

/** A system of equations: a right-hand side and a solution for each matrix. */
const system: Signature<'solve' | 'triangularSolve'> = {
  inputs: [2, 2],
  outputs: [1, 1],
  dtypes: floats,
  operands: ({ batch, n, columns }, t) => ({
    inputs: [dense('a', t, batch * n * n), dense('b', t, batch * n * columns)],
    outputs: [dense('x', t, batch * n * columns)],
  }),
}

const signatures: { readonly [K in Opcode]: Signature<K> } = {
  matmul: {
    inputs: [2, 3],
    outputs: [1, 1],
    dtypes: floats,
    operands: ({ batch, m, n, k, a, b, activation }, t, { inputs, site }) => {
      oneOf(site, 'an activation', activations, activation)
      const bias = inputs.length === 3 ? [dense('bias', t, n)] : []
      return {
        inputs: [view('a', t, matrixReach(a, batch, m, k)), view('b', t, matrixReach(b, batch, k, n)), ...bias],
        outputs: [dense('c', t, batch * m * n)],
      }
    },
  },
  elementwise: {
    inputs: [1, Infinity],
    outputs: [1, Infinity],
    dtypes,
    operands: ({ shape, operands, code, results }, _, { inputs, outputs, site }) => {
      if (operands.length !== inputs.length) refuse(site, `${operands.length} inputs`, inputs.length)
      if (results.length !== outputs.length) refuse(site, `${results.length} outputs`, outputs.length)
      const registers = registerTypes(site, inputs, code)
      return {
        inputs: operands.map((x, i) => view(`operand ${i}`, inputs[i]!.dtype, reach(site, shape, x))),
        outputs: results.map((register, i) => {
          if (!(register < registers.length)) refuse(site, `a register below ${registers.length}`, register)
          return dense(`result ${i}`, registers[register]!, sizeOf(shape))
        }),
      }
    },
  },
  copy: {
    inputs: [1, 1],
    outputs: [1, 1],
    dtypes,
    operands: (p, t, { site }) => ({
      inputs: [view('x', t, reach(site, p.shape, p))],
      outputs: [dense('out', t, sizeOf(p.shape))],
    }),
  },
  pad: {
    inputs: [1, 1],
    outputs: [1, 1],
    dtypes,
    operands: (p, t, { site }) => {
      const least = reach(site, p.shape, p)
      if (!targetsDiffer(p.shape, p.strides)) refuse(site, 'strides that give distinct targets', `[${p.strides}]`)
      return { inputs: [dense('x', t, sizeOf(p.shape))], outputs: [view('out', t, least)] }
    },
  },
  concat: {
    inputs: [1, Infinity],
    outputs: [1, 1],
    dtypes,
    operands: ({ outer, inners }, t) => ({
      inputs: inners.map((inner, i) => dense(`operand ${i}`, t, outer * inner)),
      outputs: [
        dense(
          'out',
          t,
          inners.reduce((sum, inner) => sum + outer * inner, 0),
        ),
      ],
    }),
  },
  reduce: {
    inputs: [1, 1],
    outputs: [1, 1],
    dtypes: numbers,
    operands: ({ kind, outer, reduced, inner }, t, { site }) => {
      oneOf(site, 'a reduction', reductions, kind)
      return { inputs: [dense('x', t, outer * reduced * inner)], outputs: [dense('out', t, outer * inner)] }
    },
  },
  argmax: {
    inputs: [1, 1],
    outputs: [1, 1],
    dtypes: numbers,
    operands: ({ outer, reduced, inner }, t, { site }) => {
      if (reduced === 0 && outer * inner > 0) refuse(site, 'something to choose from', 'an empty axis')
      return { inputs: [dense('x', t, outer * reduced * inner)], outputs: [dense('out', 'int32', outer * inner)] }
    },
  },
  scan: {
    inputs: [1, 1],
    outputs: [1, 1],
    dtypes: numbers,
    operands: ({ kind, outer, length, inner }, t, { site }) => {
      oneOf(site, 'a reduction', reductions, kind)
      return { inputs: [dense('x', t, outer * length * inner)], outputs: [dense('out', t, outer * length * inner)] }
    },
  },
  recurrence: {
    inputs: [2, 2],
    outputs: [1, 1],
    dtypes: floats,
    operands: ({ outer, length, inner }, t) => ({
      inputs: ['a', 'b'].map((name) => dense(name, t, outer * length * inner)),
      outputs: [dense('out', t, outer * length * inner)],
    }),
  },
  argsort: {
    inputs: [1, 1],
    outputs: [1, 1],
    dtypes: numbers,
    operands: ({ rows, columns, count }, t, { site }) => {
      if (count > columns) refuse(site, `at most ${columns} elements of a row`, count)
      return { inputs: [dense('x', t, rows * columns)], outputs: [dense('out', 'int32', rows * count)] }
    },
  },
  softmax: rowwise,
  logSoftmax: rowwise,
  softmaxCrossEntropy: {
    inputs: [2, 2],
    outputs: [1, 2],
    dtypes: floats,
    operands: ({ rows, columns }, t, { inputs, outputs }) => {
      const classes = inputs[1]!.dtype === 'int32'
      const labels = classes ? dense('labels', 'int32', rows) : dense('labels', t, rows * columns)
      const gradient = outputs.length === 2 ? [dense('gradient', t, rows * columns)] : []
      return { inputs: [dense('logits', t, rows * columns), labels], outputs: [dense('losses', t, rows), ...gradient] }
    },
  },
  gather: {
    inputs: [2, 2],
    outputs: [1, 1],
    dtypes,
    operands: ({ rows, rowSize, count }, t) => ({
      inputs: [dense('x', t, rows * rowSize), dense('indices', 'int32', count)],
      outputs: [dense('out', t, count * rowSize)],
    }),
  },
  scatterAdd: {
    inputs: [3, 3],
    outputs: [1, 1],
    dtypes: numbers,
    operands: ({ rows, rowSize, count }, t) => ({
      inputs: [dense('x', t, rows * rowSize), dense('indices', 'int32', count), dense('updates', t, count * rowSize)],
      outputs: [dense('out', t, rows * rowSize)],
    }),
  },
  takeAlongAxis: {
    inputs: [2, 2],
    outputs: [1, 1],
    dtypes,
    operands: ({ outer, rows, count, inner }, t) => ({
      inputs: [dense('x', t, outer * rows * inner), dense('indices', 'int32', outer * count * inner)],
      outputs: [dense('out', t, outer * count * inner)],
    }),
  },
  scatterAlongAxis: {
    inputs: [3, 3],
    outputs: [1, 1],
    dtypes,
    operands: ({ outer, rows, count, inner, accumulate }, t, { site }) => {
      if (accumulate && !numbers.includes(t)) refuse(site, `the first input to be ${numbers.join(' or ')}`, t)
      const [size, selected] = [outer * rows * inner, outer * count * inner]
      return {
        inputs: [dense('x', t, size), dense('indices', 'int32', selected), dense('updates', t, selected)],
        outputs: [dense('out', t, size)],
      }
    },
  },
  attention: {
    inputs: [3, 4],
    outputs: [2, 2],
    dtypes: floats,
    operands: (p, t, { inputs, site }) => {
      if (p.operands.length !== inputs.length) refuse(site, `${inputs.length} patterns`, p.operands.length)
      const matrices = attentionShapes(p)
      const names = ['q', 'k', 'v', 'mask']
      p.operands.forEach((pattern, i) => {
        if (i < 3 && !hasAdjacentColumns(matrices[i]!, pattern))
          refuse(site, `${names[i]} with adjacent columns and no negative strides`, `[${pattern.strides}]`)
      })
      const mask = inputs[3]?.dtype === 'bool' ? 'bool' : t
      const rows = sizeOf([...p.batch, p.queries])
      return {
        inputs: p.operands.map((x, i) => view(names[i]!, i === 3 ? mask : t, reach(site, matrices[i]!, x))),
        outputs: [dense('out', t, rows * p.values), dense('logSums', t, rows)],
      }
    },
  },
  cholesky: {
    inputs: [1, 1],
    outputs: [1, 1],
    dtypes: floats,
    operands: ({ batch, n }, t) => ({
      inputs: [dense('x', t, batch * n * n)],
      outputs: [dense('l', t, batch * n * n)],
    }),
  },
  triangularSolve: system,
  solve: system,
  determinant: {
    inputs: [1, 1],
    outputs: [3, 3],
    dtypes: floats,
    operands: ({ batch, n }, t) => ({
      inputs: [dense('x', t, batch * n * n)],
      outputs: ['det', 'sign', 'log|det|'].map((name) => dense(name, t, batch)),
    }),
  },
  qr: {
    inputs: [1, 1],
    outputs: [2, 2],
    dtypes: floats,
    operands: ({ batch, rows, columns }, t) => {
      const k = Math.min(rows, columns)
      return {
        inputs: [dense('x', t, batch * rows * columns)],
        outputs: [dense('q', t, batch * rows * k), dense('r', t, batch * k * columns)],
      }
    },
  },
  eigh: {
    inputs: [1, 1],
    outputs: [2, 2],
    dtypes: floats,
    operands: ({ batch, n }, t) => ({
      inputs: [dense('x', t, batch * n * n)],
      outputs: [dense('values', t, batch * n), dense('vectors', t, batch * n * n)],
    }),
  },
  svd: {
    inputs: [1, 1],
    outputs: [3, 3],
    dtypes: floats,
    operands: ({ batch, rows, columns }, t) => {
      const k = Math.min(rows, columns)
      return {
        inputs: [dense('x', t, batch * rows * columns)],
        outputs: [dense('u', t, batch * rows * k), dense('s', t, batch * k), dense('vh', t, batch * k * columns)],
      }
    },
  },
  random: {
    inputs: [1, 3],
    outputs: [1, 1],
    dtypes: ['int32'],
    operands: ({ distribution }, _, { inputs, outputs, site }) => {
      oneOf(site, 'a distribution', distributions, distribution)
      const { dtype, shape } = outputs[0]!
      const t = distribution === 'integer' ? 'int32' : isFloat(dtype) ? dtype : 'float32'
      const size = sizeOf(shape)
      const parameters = Array.from({ length: distributionParameters[distribution] }, (_, i) => {
        const given = inputs[i + 1]
        return dense(`parameter ${i}`, t, given !== undefined && sizeOf(given.shape) === 1 ? 1 : size)
      })
      return { inputs: [dense('key', 'int32', 2), ...parameters], outputs: [dense('out', t, size)] }
    },
  },
  sgd: {
    inputs: [3, 3],
    outputs: [1, 1],
    dtypes: floats,
    operands: ({ size }, t) => ({
      inputs: [dense('p', t, size), dense('g', t, size), dense('learningRate', t, 1)],
      outputs: [dense("p'", t, size)],
    }),
  },
  momentum: {
    inputs: [4, 4],
    outputs: [2, 2],
    dtypes: floats,
    operands: ({ size }, t) => ({
      inputs: [dense('p', t, size), dense('g', t, size), dense('v', t, size), dense('learningRate', t, 1)],
      outputs: [dense("p'", t, size), dense("v'", t, size)],
    }),
  },
  adam: {
    inputs: [6, 6],
    outputs: [3, 3],
    dtypes: floats,
    operands: ({ size }, t) => ({
      inputs: [
        ...['p', 'g', 'm', 'v'].map((name) => dense(name, t, size)),
        ...['learningRate', 'step'].map((name) => dense(name, t, 1)),
      ],
      outputs: ["p'", "m'", "v'"].map((name) => dense(name, t, size)),
    }),
  },
  conv2d: {
    inputs: [2, 3],
    outputs: [1, 1],
    dtypes: floats,
    operands: (p, t, { inputs, site }) => {
      oneOf(site, 'an activation', activations, p.activation)
      const { x, w, y } = convolutionOperands(site, p, t)
      const bias = inputs.length === 3 ? [dense('bias', t, p.groups * p.filters)] : []
      return { inputs: [x, w, ...bias], outputs: [y] }
    },
  },
  conv2dInputGradient: {
    inputs: [2, 2],
    outputs: [1, 1],
    dtypes: floats,
    operands: (p, t, { site }) => {
      const { x, w, y } = convolutionOperands(site, p, t)
      return { inputs: [y, w], outputs: [x] }
    },
  },
  conv2dWeightGradient: {
    inputs: [2, 2],
    outputs: [1, 1],
    dtypes: floats,
    operands: (p, t, { site }) => {
      const { x, w, y } = convolutionOperands(site, p, t)
      return { inputs: [x, y], outputs: [w] }
    },
  },
  maxPool2d: {
    inputs: [2, 2],
    outputs: [1, 1],
    dtypes: floats,
    operands: (p, t, { site }) => {
      checkWindows(site, p)
      const size = p.planes * p.height * p.width
      return {
        inputs: [dense('x', t, size), dense('z', t, size)],
        outputs: [dense('out', t, p.planes * p.outHeight * p.outWidth)],
      }
    },
  },
  maxPool2dGradient: {
    inputs: [2, 2],
    outputs: [1, 1],
    dtypes: floats,
    operands: (p, t, { site }) => {
      checkWindows(site, p)
      const x = dense('x', t, p.planes * p.height * p.width)
      return { inputs: [x, dense('dy', t, p.planes * p.outHeight * p.outWidth)], outputs: [x] }
    },
  },
}

/** Windows have elements and move on, and none reaches further than 32 bits count. */
function checkWindows(site: Site, p: Windows): void {
  const least = Math.min(
    ...[p.kernelHeight, p.kernelWidth, p.strideHeight, p.strideWidth, p.dilationHeight, p.dilationWidth],
  )
  if (least < 1) refuse(site, 'a kernel, strides and dilations of at least 1', least)
  const rows = windowReach(p.outHeight, p.strideHeight, p.kernelHeight, p.dilationHeight)
  const columns = windowReach(p.outWidth, p.strideWidth, p.kernelWidth, p.dilationWidth)
  if (rows * columns > maxExtent) refuse(site, `windows that reach over at most ${maxExtent} elements`, rows * columns)
}

const windowReach = (out: number, stride: number, kernel: number, dilation: number): number =>
  Math.max(out - 1, 0) * stride + (kernel - 1) * dilation + 1

function convolutionOperands(site: Site, p: Convolution, t: DType): { x: Operand; w: Operand; y: Operand } {
  checkWindows(site, p)
  const { batch, groups, channels, filters } = p
  return {
    x: dense('x', t, batch * groups * channels * p.height * p.width),
    w: dense('w', t, groups * filters * channels * p.kernelHeight * p.kernelWidth),
    y: dense('y', t, batch * groups * filters * p.outHeight * p.outWidth),
  }
}

function oneOf(site: Site, what: string, names: readonly string[], name: string): void {
  if (!names.includes(name)) refuse(site, `${what} (${names.join(', ')})`, name)
}

/** How many elements an operand must have for the layout to stay inside. */
function matrixReach(layout: MatrixLayout, batch: number, rows: number, columns: number): number {
  if (batch * rows * columns === 0) return 0
  const [outer, inner] = layout.transpose ? [columns, rows] : [rows, columns]
  return layout.offset + (batch - 1) * layout.batchStride + (outer - 1) * layout.leadingDimension + inner
}

function reach(site: Site, shape: Shape, { offset, strides }: LoadPattern): number {
  if (shape.length > maxRank) refuse(site, `at most ${maxRank} axes`, shape.length)
  if (strides.length !== shape.length) refuse(site, `${shape.length} strides`, strides.length)
  if (sizeOf(shape) === 0) return 0
  const steps = shape.map((extent, axis) => (extent - 1) * strides[axis]!)
  const lowest = steps.reduce((sum, step) => sum + Math.min(step, 0), offset)
  if (lowest < 0) refuse(site, 'strides that stay inside the operand', `element ${lowest}`)
  return steps.reduce((sum, step) => sum + Math.max(step, 0), offset) + 1
}

/** The shapes in which an attention reads q, k, v and the mask. */
export const attentionShapes = (p: Readonly<InstructionParams['attention']>): Shape[] => [
  [...p.batch, p.queries, p.features],
  [...p.batch, p.keys, p.features],
  [...p.batch, p.keys, p.values],
  [...p.batch, p.queries, p.keys],
]

/** Whether the rows of a view are what a product can read: elements one after the other, and no step backwards. */
export const hasAdjacentColumns = (shape: Shape, { strides }: LoadPattern): boolean =>
  strides.every((stride) => stride >= 0) && (shape.at(-1)! <= 1 || strides.at(-1) === 1)

/** Each stride reaches past all that the smaller ones reach together, so no two indices have one target. */
function targetsDiffer(shape: Shape, strides: readonly number[]): boolean {
  const axes = shape
    .map((extent, axis) => ({ extent, stride: Math.abs(strides[axis]!) }))
    .filter(({ extent }) => extent > 1)
  let covered = 0
  for (const { extent, stride } of axes.sort((a, b) => a.stride - b.stride)) {
    if (stride <= covered) return sizeOf(shape) === 0
    covered += (extent - 1) * stride
  }
  return true
}

/** True where the pattern reads elements 0, 1, 2, … in order. */
export function isDense(shape: Shape, { offset, strides }: LoadPattern): boolean {
  const order = denseStrides(shape)
  return offset === 0 && shape.every((extent, axis) => extent <= 1 || strides[axis] === order[axis])
}

const operandDTypes = {
  same: numbers,
  float: floats,
  any: dtypes,
  comparison: dtypes,
  cast: dtypes,
  bits: ['int32', 'uint8', 'bool'],
  shift: ['int32', 'uint8'],
} as const satisfies Record<string, readonly DType[]>

/** The dtypes of an elementwise group's registers: its operands, then what each step gives. */
function registerTypes(site: Site, inputs: readonly Value[], code: readonly MicroInstruction[]): DType[] {
  const registers = inputs.map((input) => input.dtype)
  code.forEach((step, i) => {
    checkStep(site, `step ${i}`, step, registers)
    registers.push(microResultDType(step))
  })
  return registers
}

function checkStep(site: Site, name: string, { op, dtype, to, args }: MicroInstruction, registers: DType[]): void {
  if (!Object.hasOwn(microOps, op)) refuse(site, `${name} to be a micro-op`, op)
  const { arity, kind } = microOps[op]
  if (!(operandDTypes[kind] as readonly DType[]).includes(dtype))
    refuse(site, `${name}, ${op}, to take ${operandDTypes[kind].join(' or ')}`, dtype)
  if (args.length !== arity) refuse(site, `${name}, ${op}, to have ${arity} arguments`, args.length)
  if (kind === 'cast' && !dtypes.includes(to!)) refuse(site, `${name} to cast to a dtype`, to)
  args.forEach((register, i) => {
    if (!(register < registers.length)) refuse(site, `${name} to read a register below ${registers.length}`, register)
    const wanted = op === 'where' && i === 0 ? 'bool' : dtype
    if (registers[register] !== wanted) refuse(site, `${name}, ${op}, to read ${wanted}`, registers[register])
  })
}

const realParams: readonly string[] = ['slope', 'scale', 'momentum', 'beta1', 'beta2', 'epsilon', 'weightDecay']

/** Every number but the real ones counts or addresses something: an integer that fits the wire format. */
function checkNumbers(site: Site, params: object, signed = false): void {
  for (const key in params) {
    const value: unknown = params[key as keyof typeof params]
    if (typeof value === 'object' && value !== null) checkNumbers(site, value, key === 'strides')
    else if (typeof value === 'number' && !isCount(signed ? Math.abs(value) : value) && !realParams.includes(key))
      refuse(site, `${key} to be an integer in [${signed ? -maxExtent : 0}, ${maxExtent}]`, value)
  }
}

export const isCount = (x: number): boolean => Number.isInteger(x) && x >= 0 && x <= maxExtent

function checkArity(site: Site, what: string, [least, most]: readonly [number, number], count: number): void {
  if (count >= least && count <= most) return
  refuse(site, `${least === most ? least : `${least} to ${most}`} ${what}`, count)
}

function compare(site: Site, operands: readonly Operand[], values: readonly Value[]): void {
  if (operands.length !== values.length) refuse(site, `${operands.length} operands`, values.length)
  operands.forEach(({ name, dtype, size, view }, i) => {
    const value = values[i]!
    const actual = sizeOf(value.shape)
    if (value.dtype === dtype && (view ? actual >= size : actual === size)) return
    refuse(site, `${name} to be ${dtype} with ${view ? 'at least ' : ''}${size} elements`, formatType(value))
  })
}

/** Refuses an instruction whose operands are not what its parameters say. Ids are in range. */
export function checkSignature(program: Program, index: number): void {
  const { opcode, inputs, outputs, params } = program.instructions[index] as Instruction
  const site: Site = { index, opcode }
  const signature = signatures[opcode] as Signature<Opcode>
  checkNumbers(site, params)
  checkArity(site, 'inputs', signature.inputs, inputs.length)
  checkArity(site, 'outputs', signature.outputs, outputs.length)
  const given: Given = {
    inputs: inputs.map((id) => program.values[id]!),
    outputs: outputs.map((id) => program.values[id]!),
    site,
  }
  const t = given.inputs[0]!.dtype
  if (!signature.dtypes.includes(t)) refuse(site, `the first input to be ${signature.dtypes.join(' or ')}`, t)
  const operands = signature.operands(params, t, given)
  compare(site, operands.inputs, given.inputs)
  compare(site, operands.outputs, given.outputs)
}
