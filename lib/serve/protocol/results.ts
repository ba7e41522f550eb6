/** The answers to the rows of a request as results by name, each with an entry for each row. */
import type { DType, TypedArray } from '../../base/dtype.ts'
import { leavesOf } from '../../base/tree.ts'
import type { OutputType, TopClasses } from '../outputs.ts'
import type { Predictor } from '../predictor.ts'
import { bytesOf, bytesOfTexts, datatypeOf } from './datatypes.ts'

/** A tensor of a model, without its elements. */
export interface DescribedTensor {
  readonly name: string
  readonly datatype: string
  readonly shape: readonly number[]
}

/** A result with an entry for each row. */
export interface NamedResult extends DescribedTensor {
  /** Its elements: numbers, truths, or texts where the datatype is BYTES. */
  list(): readonly (number | boolean | string)[]
  bytes(): Uint8Array
}

/** What the one output of a model that gives a bare tensor is called. */
const bareName = 'output'

const outputName = ({ name }: OutputType): string => (name === '' ? bareName : name)

export function namedResults({ outputs, topClasses }: Predictor, answers: readonly unknown[]): NamedResult[] {
  if (topClasses !== undefined) return resultsOfClasses(answers as readonly TopClasses[], topClasses.named)
  const [first] = outputs as [OutputType]
  if (outputs.length === 1 && first.name === '') return [resultOf(first, answers as readonly TypedArray[])]
  // In the order of the outputs: a path of names may have dots in any of them.
  const leaves = answers.map((answer) => leavesOf('predictor', '', answer))
  return outputs.map((output, i) =>
    resultOf(
      output,
      leaves.map((each) => each[i]![1] as TypedArray),
    ),
  )
}

const resultOf = (output: OutputType, parts: readonly TypedArray[]): NamedResult =>
  result(outputName(output), datatypeOf(output.dtype), [parts.length, ...output.shape], joined(parts))

function joined(parts: readonly TypedArray[]): TypedArray {
  const [first] = parts as [TypedArray]
  if (parts.length === 1) return first
  const all = new (first.constructor as new (size: number) => TypedArray)(parts.length * first.length)
  for (const [i, part] of parts.entries()) all.set(part, i * first.length)
  return all
}

const result = (name: string, datatype: string, shape: readonly number[], array: TypedArray): NamedResult => ({
  name,
  datatype,
  shape,
  list: () => (datatype === 'BOOL' ? Array.from(array, Boolean) : Array.from(array)),
  bytes: () => bytesOf(array),
})

const resultOfTexts = (name: string, shape: readonly number[], texts: readonly string[]): NamedResult => ({
  name,
  datatype: 'BYTES',
  shape,
  list: () => texts,
  bytes: () => bytesOfTexts(texts),
})

function resultsOfClasses(answers: readonly TopClasses[], named: boolean): NamedResult[] {
  const shape = [answers.length, answers[0]!.classes.length]
  const classes = answers.flatMap((answer) => answer.classes)
  return [
    named
      ? resultOfTexts('classes', shape, classes as string[])
      : result('classes', 'INT32', shape, Int32Array.from(classes as number[])),
    result('values', 'FP32', shape, Float32Array.from(answers.flatMap(({ values }) => values))),
  ]
}

/** What an output is, for the description of a model. */
export const describedOutputs = ({ outputs, topClasses }: Predictor): DescribedTensor[] =>
  topClasses === undefined
    ? outputs.map((output) => ({
        name: outputName(output),
        datatype: datatypeOf(output.dtype as DType),
        shape: [-1, ...output.shape],
      }))
    : [
        { name: 'classes', datatype: topClasses.named ? 'BYTES' : 'INT32', shape: [-1, topClasses.count] },
        { name: 'values', datatype: 'FP32', shape: [-1, topClasses.count] },
      ]
