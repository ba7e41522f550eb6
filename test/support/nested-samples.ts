/** Small valid programs of instructions that run programs. */
import type { DType } from '../../lib/base/dtype.ts'
import type { MicroOpName } from '../../lib/program/micro-ops.ts'
import type { Place, Program } from '../../lib/program/program.ts'
import { instruction, program, value } from './run.ts'

type Bound = readonly [kind: Place['kind'], index: number, dtype: DType, ...shape: number[]]

const valueOfBound = ([kind, index, dtype, ...shape]: Bound) => value(dtype, shape, kind, index)

const counts = (values: readonly Bound[]) => {
  const count = (kind: Place['kind']) => new Set(values.flatMap(([k, index]) => (k === kind ? [index] : []))).size
  return { inputCount: count('input'), stateCount: count('state'), resultCount: count('result') }
}

/** out = op(a, b), elementwise over a shape, with strides of a and b. */
export const binary = (
  op: MicroOpName,
  dtype: DType,
  shape: readonly number[],
  [a, b, out]: readonly [number, number, number],
  strides: readonly (readonly number[])[],
) =>
  instruction(
    'elementwise',
    {
      shape,
      operands: strides.map((strides) => ({ offset: 0, strides })),
      code: [{ op, dtype, args: [0, 1] }],
      results: [2],
    },
    [a, b],
    [out],
  )

const parts = (values: readonly Bound[]): Pick<Program, 'values' | 'inputCount' | 'stateCount' | 'resultCount'> => ({
  values: values.map(valueOfBound),
  ...counts(values),
})

/** carry + x·scale, in an arena on its way; the result is the carry before the step. */
export const accumulator = (dtype: DType = 'float32'): Program =>
  program({
    ...parts([
      ['input', 0, dtype],
      ['input', 1, dtype, 3],
      ['state', 0, dtype, 3],
      ['arena', 0, dtype, 3],
      ['state', 0, dtype, 3],
      ['result', 0, dtype, 3],
    ]),
    instructions: [
      instruction('copy', { shape: [3], offset: 0, strides: [1] }, [2], [5]),
      binary('mul', dtype, [3], [1, 0, 3], [[1], [0]]),
      binary('add', dtype, [3], [2, 3, 4], [[1], [1]]),
    ],
    arenaBytes: 64,
  })

export const loopOf = (body: Program, dtype: DType = 'float32'): Program =>
  program({
    ...parts([
      ['input', 0, dtype],
      ['input', 1, dtype, 3],
      ['input', 2, dtype, 4, 3],
      ['result', 0, dtype, 3],
      ['result', 1, dtype, 4, 3],
    ]),
    instructions: [instruction('loop', { length: 4, reverse: true, constants: 1, body }, [0, 1, 2], [3, 4])],
  })

/** Adds the constant as long as the carry is below the other one. */
const whileSample: Program = program({
  ...parts([
    ['input', 0, 'float32'],
    ['input', 1, 'float32'],
    ['input', 2, 'float32'],
    ['result', 0, 'float32'],
  ]),
  instructions: [
    instruction(
      'whileLoop',
      {
        limit: 5,
        constants: 2,
        condition: program({
          ...parts([
            ['input', 0, 'float32'],
            ['input', 1, 'float32'],
            ['input', 2, 'float32'],
            ['result', 0, 'bool'],
          ]),
          instructions: [binary('less', 'float32', [], [2, 1, 3], [[], []])],
        }),
        body: program({
          ...parts([
            ['input', 0, 'float32'],
            ['input', 1, 'float32'],
            ['state', 0, 'float32'],
            ['state', 0, 'float32'],
          ]),
          instructions: [binary('add', 'float32', [], [2, 0, 3], [[], []])],
        }),
      },
      [0, 1, 2],
      [3],
    ),
  ],
})

const ofTwo = (op: MicroOpName): Program =>
  program({
    ...parts([
      ['input', 0, 'int32', 2],
      ['input', 1, 'int32', 2],
      ['result', 0, 'int32', 2],
    ]),
    instructions: [binary(op, 'int32', [2], [0, 1, 2], [[1], [1]])],
  })

const branchSample: Program = program({
  ...parts([
    ['input', 0, 'bool'],
    ['input', 1, 'int32', 2],
    ['input', 2, 'int32', 2],
    ['result', 0, 'int32', 2],
  ]),
  instructions: [instruction('branch', { ifTrue: ofTwo('add'), ifFalse: ofTwo('sub') }, [0, 1, 2], [3])],
})

export const nestedSamples = { loop: loopOf(accumulator()), whileLoop: whileSample, branch: branchSample }
