/** What a row of the operation cases is, and the programs that are made from it. */
import assert from 'node:assert'

import type { Backend, Buffers } from '../../lib/backend/backend.ts'
import { allocate, type DType, isFloat, type TypedArray } from '../../lib/base/dtype.ts'
import { type Shape, sizeOf } from '../../lib/base/shape.ts'
import { gradients } from '../../lib/graph/autograd.ts'
import { lower } from '../../lib/graph/lower.ts'
import { data } from '../../lib/graph/ops/leaf.ts'
import { buildProgram } from '../../lib/program/build.ts'
import { microOps } from '../../lib/program/micro-ops.ts'
import { type PassName, passNames } from '../../lib/program/passes/index.ts'
import type { Program } from '../../lib/program/program.ts'
import { formatProgram } from '../../lib/program/text.ts'
import { nodeOf, type Tensor, wrap } from '../../lib/tensor/tensor.ts'
import { runProgram } from './run.ts'
import { uniforms } from './tape.ts'
import { accumulated, type Contract, expectClose, ulps } from './tolerance.ts'

/** Uniform in [low, high); where low is negative, without |x| < gap. */
export interface Range {
  readonly low: number
  readonly high: number
  readonly gap?: number
}

/** A range, or some numbers over and over. */
export type Values = Range | readonly number[]

export interface Operand {
  readonly shape: Shape
  readonly dtype: DType
  readonly values: Values
}

const ordinary: { readonly [K in DType]: Values } = {
  float32: { low: -2, high: 2 },
  float64: { low: -2, high: 2 },
  int32: { low: -9, high: 10 },
  uint8: { low: 0, high: 256 },
  bool: { low: 0, high: 2 },
}

export const operand = (shape: Shape, values?: Values, dtype: DType = 'float32'): Operand => ({
  shape,
  dtype,
  values: values ?? ordinary[dtype],
})

/** Shapes as text: '3,17 17 .' is [3, 17], [17] and the scalar []. */
export const shapesOf = (text: string): Shape[] =>
  text.split(' ').map((shape) => (shape === '.' ? [] : shape.split(',').map(Number)))

export type Magnitude = OpCase['f']

/**
 * How far a backend may be from the reference, see tolerance.ts. `depth` is the number of terms of a sum, and the
 * magnitude of the sum is what the function gives for the absolute values of its operands, unless it is said.
 */
export type CaseContract = { readonly ulps: number } | { readonly depth: number; readonly magnitude?: Magnitude }

/** One use of one operation. */
export interface OpCase {
  readonly note?: string
  readonly inputs: readonly Operand[]
  readonly f: (...xs: Tensor[]) => Tensor | readonly Tensor[]
  readonly contract: CaseContract
  /** Its gradient in the float operands is checked: there are some, and the function is smooth where they are. */
  readonly differentiable?: boolean
}

export const exactly: CaseContract = { ulps: 0 }

/** Names a row by what it takes. */
export function titleOf({ note, inputs }: OpCase): string {
  const types = inputs.map(({ dtype, shape }) => `${dtype}[${shape.join(',')}]`).join(' ')
  return note === undefined ? types : `${note}: ${types}`
}

/** Runs a check on every row, and names the ones that fail. */
export async function checkRows(rows: readonly OpCase[], check: (row: OpCase) => void | Promise<void>): Promise<void> {
  const failures: string[] = []
  for (const row of rows) {
    try {
      await check(row)
    } catch (error) {
      failures.push(`${titleOf(row)}: ${(error as Error).message}`)
    }
  }
  assert.ok(failures.length === 0, `${failures.length} of ${rows.length} rows fail\n${failures.join('\n')}`)
}

export function dataOf({ shape, dtype, values }: Operand, seed: number): TypedArray {
  const array = allocate(dtype, sizeOf(shape))
  const next = uniforms(seed)
  const fromRange = (range: Range) => (isFloat(dtype) ? between(range, next()) : Math.floor(between(range, next())))
  for (let i = 0; i < array.length; i++) array[i] = 'low' in values ? fromRange(values) : values[i % values.length]!
  return array
}

function between({ low, high, gap = 0 }: Range, u: number): number {
  const x = low + (high - low - 2 * gap) * u
  return x < -gap ? x : x + 2 * gap
}

/** The operands of a row, each a leaf of the graph. */
export const leavesOf = ({ inputs }: OpCase): Tensor[] =>
  inputs.map((x, i) => wrap(data(dataOf(x, 7919 * (i + 1)), x.dtype, x.shape)))

export const outputsOf = ({ f }: OpCase, xs: readonly Tensor[]): Tensor[] => [f(...xs)].flat()

export interface CaseProgram {
  readonly program: Program
  readonly inputs: Buffers
}

function programOf(results: readonly Tensor[], passes: readonly PassName[] = []): CaseProgram {
  const { draft, inputs } = lower(results.map(nodeOf))
  return { program: buildProgram(draft, passes), inputs: inputs.map((leaf) => leaf.storage!.array) }
}

/** Unfused, and fused where that is another program. */
function fusedAndNot(results: readonly Tensor[]): CaseProgram[] {
  const [unfused, fused] = [programOf(results), programOf(results, passNames)]
  return formatProgram(fused.program) === formatProgram(unfused.program) ? [unfused] : [unfused, fused]
}

/** More than any function of doubles is off: the reference's own formulas lose some, most beside a root. */
const ulpsOfDoubles = Math.max(...Object.values(microOps).map((facts) => ('ulps64' in facts ? facts.ulps64 : 0)))

/** Random numbers have rows of their own, and products of int8 are of float32 alone. */
const notOfDoubles: readonly string[] = ['random', 'quantizedMatmul', 'quantizeWeight']

/** An operation's rows with float64 in place of float32, where it has such. */
export const rowsOfFloat64 = (operation: string, rows: readonly OpCase[]): OpCase[] =>
  notOfDoubles.includes(operation)
    ? []
    : rows.map(inFloat64).filter(({ inputs }) => inputs.some(({ dtype }) => dtype === 'float64'))

const inFloat64 = (row: OpCase): OpCase => ({
  ...row,
  inputs: row.inputs.map((x) => (x.dtype === 'float32' ? { ...x, dtype: 'float64' } : x)),
  contract: 'ulps' in row.contract && row.contract.ulps > 0 ? { ulps: ulpsOfDoubles } : row.contract,
})

export const forwardPrograms = (row: OpCase): CaseProgram[] => fusedAndNot(outputsOf(row, leavesOf(row)))

/** The gradients of Σ y·cotangent with respect to every float operand, for a fixed random cotangent. */
export function gradientPrograms(row: OpCase): CaseProgram[] {
  const xs = leavesOf(row)
  const [y] = outputsOf(row, xs)
  const cotangent = data(dataOf(operand(y!.shape, undefined, y!.dtype), 1), y!.dtype, y!.shape)
  const wanted = xs.filter(({ dtype }) => isFloat(dtype)).map(nodeOf)
  const found = gradients(nodeOf(y!), wanted, cotangent)
  return fusedAndNot(found.filter((gradient) => gradient !== null).map(wrap))
}

/** What the terms of each sum add up to in absolute value. */
function magnitudeProgram(row: OpCase, magnitude?: Magnitude): CaseProgram {
  const xs = leavesOf(row)
  const absolute = xs.map((x) => (isFloat(x.dtype) ? x.abs() : x))
  const found = [magnitude ? magnitude(...xs) : row.f(...absolute)].flat()
  return programOf(found)
}

export interface Expectation {
  readonly results: readonly TypedArray[]
  readonly contracts: readonly Contract[]
}

/** What a row gives on a backend, unfused, and how far others may be from it. */
export function expectationOf(backend: Backend, row: OpCase): Expectation {
  const run = ({ program, inputs }: CaseProgram) => runProgram(backend, program, inputs).results
  const results = run(programOf(outputsOf(row, leavesOf(row))))
  const { contract } = row
  if ('ulps' in contract) return { results, contracts: results.map(() => ulps(contract.ulps)) }
  const magnitudes = run(magnitudeProgram(row, contract.magnitude))
  const contracts = results.map((y, i) => {
    const magnitude = magnitudes[i] ?? magnitudes[0]!
    if (!(y instanceof Float64Array)) return accumulated(contract.depth, magnitude)
    // The reference too rounds all doubles that it adds up, so that what is off is in proportion to the sum.
    const sums = magnitude.map((x, j) => 2 * Math.max(x, Math.abs(y[j]!)))
    return accumulated(contract.depth, sums)
  })
  return { results, contracts }
}

/** Expects what a program gave to be within the contracts of its row. */
export function expectWithin(
  actual: readonly TypedArray[],
  { results, contracts }: Expectation,
  program: Program,
): void {
  actual.forEach((data, i) => {
    expectClose(
      data,
      results[i]!,
      contracts[i]!,
      `result ${i} of ${program.instructions.map(({ opcode }) => opcode).join(', ')}`,
    )
  })
}
