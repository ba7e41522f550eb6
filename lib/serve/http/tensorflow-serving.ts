/** The REST API of TensorFlow Serving: `:predict` by rows or by columns. https://www.tensorflow.org/tfx/serving/api_rest */
import { isPlainObject } from '../../base/options.ts'
import type { InputSpec, InputValues, RowValues } from '../inputs.ts'
import { invalid } from '../protocol/faults.ts'
import type { NamedResult } from '../protocol/results.ts'
import { jsonReply, type Reply } from './reply.ts'

/** @throws RequestError for neither `instances` nor `inputs`, or both */
export function predictRows(
  { instances, inputs }: Record<string, unknown>,
  specs: readonly InputSpec[],
): { rows: RowValues; isColumnar: boolean } {
  if ((instances === undefined) === (inputs === undefined)) throw invalid('instances or inputs are expected')
  if (inputs !== undefined) return { rows: byColumn(inputs, specs), isColumnar: true }
  if (!Array.isArray(instances) || instances.length === 0) throw invalid('instances: a list of rows is expected')
  return { rows: byRow(instances, specs), isColumnar: false }
}

function byColumn(inputs: unknown, specs: readonly InputSpec[]): RowValues {
  if (specs[0]!.name !== '' || !isPlainObject(inputs)) return inputs as RowValues
  // A model that takes a bare tensor has no name for it.
  const values = Object.values(inputs)
  if (values.length !== 1) throw invalid('inputs: one of them is expected')
  return values[0] as InputValues
}

/** Rows of several inputs are a record each; of one input it may be the values by themselves. */
function byRow(instances: readonly unknown[], specs: readonly InputSpec[]): RowValues {
  const [{ name }] = specs as [InputSpec]
  if (specs.length === 1) {
    const values = instances.map((row) => (isPlainObject(row) ? onlyValue(row) : row)) as InputValues
    return name === '' ? values : { [name]: values }
  }
  const columns = specs.map((spec) => [
    spec.name,
    instances.map((row) => {
      const isThere = isPlainObject(row) && Object.hasOwn(row, spec.name)
      if (!isThere) throw invalid(`instances: a record with ${spec.name} is expected for each row`)
      return (row as Record<string, unknown>)[spec.name]
    }),
  ])
  return Object.fromEntries(columns) as RowValues
}

function onlyValue(row: object): unknown {
  const values = Object.values(row)
  if (values.length !== 1) throw invalid('instances: rows of one input are expected')
  return values[0]
}

export function predictReply(results: readonly NamedResult[], isColumnar: boolean): Reply {
  const nested = results.map(({ name, shape, list }) => [name, nest(list(), shape)] as const)
  if (isColumnar) return jsonReply({ outputs: nested.length === 1 ? nested[0]![1] : Object.fromEntries(nested) })
  const rows = nested[0]![1].map((_, i) =>
    nested.length === 1 ? nested[0]![1][i] : Object.fromEntries(nested.map(([name, column]) => [name, column[i]])),
  )
  return jsonReply({ predictions: rows })
}

/** A flat list as nested ones of a shape. */
function nest(list: readonly unknown[], shape: readonly number[]): unknown[] {
  if (shape.length <= 1) return [...list]
  const size = list.length / shape[0]!
  return Array.from({ length: shape[0]! }, (_, i) => nest(list.slice(i * size, (i + 1) * size), shape.slice(1)))
}
