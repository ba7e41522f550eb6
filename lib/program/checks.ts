/** The rules of instructions that are no products of parameters, by the names that rows of the schema call them by. */
import { type DType, dtypes, isFloat } from '../base/dtype.ts'
import { zipWith } from '../base/lists.ts'
import { maxExtent, type Shape, sizeOf } from '../base/shape.ts'
import type { InstructionParams, Opcode } from './instructions.ts'
import { type MicroInstruction, microOps, microResultDType } from './micro-ops.ts'
import {
  attentionGradientShapes,
  attentionShapes,
  hasAdjacentColumns,
  matrixReach,
  maxQuantizedDepth,
  panelShape,
  spanOf,
  targetsDiffer,
} from './patterns.ts'
import { formatType, type Program, type Value } from './program.ts'
import { refuse, type Site } from './refuse.ts'
import type { schema } from './schema.ts'
import { distributionParameters, type LoadPattern } from './vocabulary.ts'

type Checks = { [K in Opcode]: (typeof schema)[K]['check'] & string }
type OpcodesOf<C> = { [K in Opcode]: Checks[K] extends C ? ([Checks[K]] extends [never] ? never : K) : never }[Opcode]

/** The operands of an instruction, as many as its row says and of dtypes that it allows. */
export interface Given {
  readonly inputs: readonly Value[]
  readonly outputs: readonly Value[]
  readonly site: Site
}

/** Refuses parameters that contradict themselves or the operands. Those of all rows that name the check are its own. */
export type Check<C = Checks[Opcode]> = (params: InstructionParams[OpcodesOf<C>], given: Given) => void

export const checks: { readonly [C in Checks[Opcode]]: Check<C> } = {
  matmul({ batch, m, n, k, a, b, activation, precision }, { inputs, site }) {
    if (precision !== 'float32' && inputs[0]?.dtype !== 'float32')
      refuse(site, `${precision} of float32 operands alone`, inputs[0]?.dtype)
    if (inputs[0]?.dtype === 'int32' && (inputs.length > 2 || activation !== 'none'))
      refuse(site, 'integers without bias and activation', inputs.length > 2 ? 'a bias' : activation)
    expectAtLeast(site, 'a', inputs[0], matrixReach(a, batch, m, k))
    expectAtLeast(site, 'b', inputs[1], matrixReach(b, batch, k, n))
  },

  quantizedMatmul({ n, k }, { inputs: [, weight], site }) {
    if (k > maxQuantizedDepth) refuse(site, `k of at most ${maxQuantizedDepth}`, k)
    expectSize(site, 'weight', weight, sizeOf(panelShape(n, k)))
  },

  elementwise({ shape, operands, code, results }, { inputs, outputs, site }) {
    if (operands.length !== inputs.length) refuse(site, `${operands.length} inputs`, inputs.length)
    if (results.length !== outputs.length) refuse(site, `${results.length} outputs`, outputs.length)
    operands.forEach((pattern, i) => {
      expectAtLeast(site, `operand ${i}`, inputs[i], reach(site, shape, pattern))
    })
    const registers = registerTypes(site, inputs, code)
    const size = sizeOf(shape)
    results.forEach((register, i) => {
      const dtype = registers[register]
      if (dtype === undefined) refuse(site, `a register below ${registers.length}`, register)
      expectType(site, `result ${i}`, outputs[i], dtype, size)
    })
  },

  copy({ shape, ...pattern }, { inputs: [x], outputs: [out], site }) {
    expectAtLeast(site, 'x', x, reach(site, shape, pattern))
    expectSize(site, 'out', out, sizeOf(shape))
  },

  pad({ shape, ...pattern }, { inputs: [x], outputs: [out], site }) {
    const least = reach(site, shape, pattern)
    if (!targetsDiffer(shape, pattern.strides))
      refuse(site, 'strides that give distinct targets', `[${pattern.strides}]`)
    expectSize(site, 'x', x, sizeOf(shape))
    expectAtLeast(site, 'out', out, least)
  },

  concat({ outer, inners }, { inputs, outputs: [out], site }) {
    if (inners.length !== inputs.length) refuse(site, `${inners.length} operands`, inputs.length)
    let size = 0
    inners.forEach((inner, i) => {
      expectType(site, `operand ${i}`, inputs[i], out?.dtype, outer * inner)
      size += outer * inner
    })
    expectSize(site, 'out', out, size)
  },

  argmax({ outer, reduced, inner }, { site }) {
    if (reduced === 0 && outer * inner > 0) refuse(site, 'something to choose from', 'an empty axis')
  },

  argsort({ columns, count }, { site }) {
    if (count > columns) refuse(site, `at most ${columns} elements of a row`, count)
  },

  scatterAlongAxis({ accumulate }, { inputs: [x], site }) {
    const adds = x?.dtype !== 'bool' && x?.dtype !== 'uint8'
    if (accumulate && !adds) refuse(site, 'x to be float32 or float64 or int32', x?.dtype)
  },

  attention(p, { inputs, outputs: [out, logSums], site }) {
    if (p.operands.length !== inputs.length) refuse(site, `${inputs.length} patterns`, p.operands.length)
    const shapes = attentionShapes(p)
    const names = ['q', 'k', 'v', 'mask'] as const
    p.operands.forEach((pattern, i) => {
      const [name, shape] = [names[i] ?? '', shapes[i] ?? []]
      if (name !== 'mask' && !hasAdjacentColumns(shape, pattern))
        refuse(site, `${name} with adjacent columns and no negative strides`, `[${pattern.strides}]`)
      expectAtLeast(site, name, inputs[i], reach(site, shape, pattern))
    })
    const rows = sizeOf(p.batch) * p.queries
    expectSize(site, 'out', out, rows * p.values)
    expectSize(site, 'logSums', logSums, rows)
  },

  attentionGradient(p, { inputs, outputs, site }) {
    if (p.operands.length !== 4) refuse(site, '4 patterns', p.operands.length)
    const shapes = attentionGradientShapes(p)
    zipWith(['q', 'k', 'v', 'cotangent'], p.operands, (name, pattern, i) => {
      if (!hasAdjacentColumns(shapes[i]!, pattern))
        refuse(site, `${name} with adjacent columns and no negative strides`, `[${pattern.strides}]`)
      expectAtLeast(site, name, inputs[i], reach(site, shapes[i]!, pattern))
    })
    expectSize(site, 'out', inputs[4], sizeOf(shapes[3]))
    expectSize(site, 'logSums', inputs[5], sizeOf(p.batch) * p.queries)
    zipWith(['dq', 'dk', 'dv'], outputs, (name, out, i) => expectSize(site, name, out, sizeOf(shapes[i]!)))
  },

  loop({ length, constants, body }, given) {
    const { inputs, outputs, site } = given
    const carries = body.stateCount
    const sequences = body.inputCount - constants
    if (sequences < 0) refuse(site, `a body of at least ${constants} inputs`, body.inputCount)
    if (inputs.length !== body.inputCount + carries)
      refuse(site, `${body.inputCount + carries} operands`, inputs.length)
    if (outputs.length !== carries + body.resultCount)
      refuse(site, `${carries + body.resultCount} results`, outputs.length)
    expectBound(site, 'constant', body, 'input', inputs.slice(0, constants))
    expectBound(site, 'carry', body, 'state', inputs.slice(constants, constants + carries))
    expectBound(site, 'sequence', body, 'input', inputs.slice(constants + carries), { from: constants, length })
    expectBound(site, 'new carry', body, 'state', outputs.slice(0, carries))
    expectBound(site, 'result', body, 'result', outputs.slice(carries), { from: 0, length })
  },

  whileLoop({ constants, condition, body }, { inputs, outputs, site }) {
    const carries = body.stateCount
    if (body.inputCount !== constants) refuse(site, `a body of ${constants} inputs`, body.inputCount)
    if (body.resultCount !== 0) refuse(site, 'a body without results', body.resultCount)
    if (inputs.length !== constants + carries) refuse(site, `${constants + carries} operands`, inputs.length)
    if (outputs.length !== carries) refuse(site, `${carries} results`, outputs.length)
    if (condition.stateCount !== 0 || condition.resultCount !== 1 || condition.inputCount !== constants + carries)
      refuse(site, `a condition of ${constants + carries} inputs, no states and one result`, 'others')
    expectBound(site, 'constant', body, 'input', inputs.slice(0, constants))
    expectBound(site, 'carry', body, 'state', inputs.slice(constants))
    expectBound(site, 'new carry', body, 'state', outputs)
    expectBound(site, 'operand of the condition', condition, 'input', inputs)
    expectType(site, 'the condition', boundValue(condition, 'result', 0), 'bool', 1)
  },

  branch({ ifTrue, ifFalse }, { inputs: [, ...operands], outputs, site }) {
    for (const body of [ifTrue, ifFalse]) {
      if (body.stateCount !== 0) refuse(site, 'programs without states', body.stateCount)
      if (body.inputCount !== operands.length) refuse(site, `programs of ${operands.length} inputs`, body.inputCount)
      if (body.resultCount !== outputs.length) refuse(site, `programs of ${outputs.length} results`, body.resultCount)
      expectBound(site, 'operand', body, 'input', operands)
      expectBound(site, 'result', body, 'result', outputs)
    }
  },

  random({ distribution }, { inputs, outputs: [out], site }) {
    const parameters = inputs.slice(1)
    const wanted = distributionParameters[distribution]
    if (parameters.length !== wanted) refuse(site, `${wanted + 1} operands`, inputs.length)
    if (out === undefined) return
    const dtype = distribution === 'integer' ? 'int32' : isFloat(out.dtype) ? out.dtype : 'float32'
    const size = sizeOf(out.shape)
    parameters.forEach((parameter, i) => {
      expectType(site, `parameter ${i}`, parameter, dtype, sizeOf(parameter.shape) === 1 ? 1 : size)
    })
    expectType(site, 'out', out, dtype, size)
  },

  /** Windows have elements and move on, and none reaches further than 32 bits count. */
  windows(p, { site }) {
    const least = Math.min(
      p.kernelHeight,
      p.kernelWidth,
      p.strideHeight,
      p.strideWidth,
      p.dilationHeight,
      p.dilationWidth,
    )
    if (least < 1) refuse(site, 'a kernel, strides and dilations of at least 1', least)
    const rows = windowReach(p.outHeight, p.strideHeight, p.kernelHeight, p.dilationHeight)
    const columns = windowReach(p.outWidth, p.strideWidth, p.kernelWidth, p.dilationWidth)
    if (rows * columns > maxExtent)
      refuse(site, `windows that reach over at most ${maxExtent} elements`, rows * columns)
  },

  /** Windows of 2×2 lie inside what the others give. */
  pooledWindows(p, context) {
    checks.windows(p, context)
    const [rows, columns] = [2 * p.pooledHeight, 2 * p.pooledWidth]
    if (rows > p.outHeight || columns > p.outWidth) {
      refuse(context.site, `at least ${rows} × ${columns} outputs to pool`, `${p.outHeight} × ${p.outWidth}`)
    }
  },
}

const windowReach = (out: number, stride: number, kernel: number, dilation: number): number =>
  Math.max(out - 1, 0) * stride + (kernel - 1) * dilation + 1

const boundValue = ({ values }: Program, kind: 'input' | 'state' | 'result', index: number): Value | undefined =>
  values.find(({ place }) => place.kind === kind && place.index === index)

/** Operands are what a body binds from its input, state or result number `from` on; or sequences of `length` such. */
function expectBound(
  site: Site,
  name: string,
  body: Program,
  kind: 'input' | 'state' | 'result',
  operands: readonly Value[],
  { from, length }: { from: number; length: number } = { from: 0, length: 1 },
): void {
  operands.forEach((operand, i) => {
    const bound = boundValue(body, kind, from + i)
    if (bound !== undefined) expectType(site, `${name} ${i}`, operand, bound.dtype, length * sizeOf(bound.shape))
  })
}

/** An operand that is there has so many elements. */
export function expectSize(site: Site, name: string, value: Value | undefined, size: number): void {
  if (value !== undefined && sizeOf(value.shape) !== size)
    refuse(site, `${name} to be ${value.dtype} with ${size} elements`, formatType(value))
}

function expectType(site: Site, name: string, value: Value | undefined, dtype: DType | undefined, size: number): void {
  if (value !== undefined && (value.dtype !== dtype || sizeOf(value.shape) !== size))
    refuse(site, `${name} to be ${dtype} with ${size} elements`, formatType(value))
}

/** For what is read through strides. */
function expectAtLeast(site: Site, name: string, value: Value | undefined, size: number): void {
  if (value !== undefined && sizeOf(value.shape) < size)
    refuse(site, `${name} to be ${value.dtype} with at least ${size} elements`, formatType(value))
}

/** How many elements an operand must have for the pattern to stay inside. */
function reach(site: Site, shape: Shape, pattern: LoadPattern): number {
  if (pattern.strides.length !== shape.length) refuse(site, `${shape.length} strides`, pattern.strides.length)
  const span = spanOf(shape, pattern)
  if (span === null) return 0
  if (span.first < 0) refuse(site, 'strides that stay inside the operand', `element ${span.first}`)
  return span.last + 1
}

const operandDTypes = {
  same: ['float32', 'float64', 'int32'],
  float: ['float32', 'float64'],
  any: dtypes,
  comparison: dtypes,
  cast: dtypes,
  bits: ['int32', 'uint8', 'bool'],
  integer: ['int32', 'uint8'],
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
  if (kind === 'cast' && !(to !== undefined && dtypes.includes(to))) refuse(site, `${name} to cast to a dtype`, to)
  args.forEach((register, i) => {
    if (!(register < registers.length)) refuse(site, `${name} to read a register below ${registers.length}`, register)
    const wanted = op === 'where' && i === 0 ? 'bool' : dtype
    if (registers[register] !== wanted) refuse(site, `${name}, ${op}, to read ${wanted}`, registers[register])
  })
}
