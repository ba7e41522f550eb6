/** The inputs of a request, each named and with shape and datatype, as rows for a predictor. */
import { allocateChecked } from '../../base/arrays.ts'
import { type DType, isArrayOf, type TypedArray, writeElements } from '../../base/dtype.ts'
import { type Shape, sizeOf } from '../../base/shape.ts'
import { type InputSpec, OwnElements, type RowValues } from '../inputs.ts'
import { checkDatatype, type Datatype } from './datatypes.ts'
import { invalid, RequestError } from './faults.ts'

/** An input as it came. */
export interface GivenInput {
  readonly name?: unknown
  readonly shape?: unknown
  readonly datatype?: unknown
}

/** An input whose description fits the model. */
export interface CheckedInput {
  readonly name: string
  readonly spec: InputSpec
  readonly datatype: Datatype
  /** How many elements its shape has. */
  readonly size: number
}

/**
 * @param read gives the elements of an input, as many as its size, in memory that nobody else has
 * @throws RequestError that says what is wrong, and where
 */
export function rowsOfInputs<Given extends GivenInput>(
  specs: readonly InputSpec[],
  maxRows: number,
  inputs: readonly Given[],
  read: (given: Given, input: CheckedInput) => TypedArray | readonly number[],
): RowValues {
  if (inputs.length !== specs.length) throw invalid(`inputs: ${specs.length} are expected, got ${inputs.length}`)
  const found = new Map<string, OwnElements>()
  for (const given of inputs) {
    const { spec, name } = specOf(given, specs)
    if (found.has(spec.name)) throw invalid(`inputs: each of them once is expected, got ${spec.name} twice`)
    const datatype = checkDatatype(name, given.datatype)
    const shape = checkedShape(name, given.shape, spec, maxRows)
    const elements = read(given, { name, spec, datatype, size: sizeOf(shape) })
    found.set(spec.name, ownElements(elements, shape, spec.dtype))
  }
  const isBare = specs.length === 1 && specs[0]!.name === ''
  return (isBare ? found.get('') : Object.fromEntries(found)) as unknown as RowValues
}

function ownElements(elements: TypedArray | readonly number[], shape: Shape, dtype: DType): OwnElements {
  // Truths may come as any number.
  if (dtype !== 'bool' && isArrayOf(dtype, elements)) return new OwnElements(elements as TypedArray, shape)
  const array = allocateChecked('infer', dtype, shape)
  writeElements('infer', elements, dtype, array)
  return new OwnElements(array, shape)
}

function specOf({ name }: GivenInput, specs: readonly InputSpec[]): { spec: InputSpec; name: string } {
  if (typeof name !== 'string') throw invalid('inputs: a name for each of them is expected')
  // A model that takes a bare tensor has no name for it.
  const spec = specs.find((other) => other.name === name) ?? specs.find((other) => other.name === '')
  if (spec === undefined) throw invalid(`inputs: ${specs.map((x) => x.name).join(', ')} are expected, got ${name}`)
  return { spec, name }
}

/** The rows, of which there may be no more than so many, and then the shape of one. */
function checkedShape(name: string, shape: unknown, spec: InputSpec, maxRows: number): number[] {
  const row = spec.shape.map((extent) => extent ?? 'any length')
  const what = `input ${name}: a shape of [${['rows', ...row].join(', ')}] is expected`
  if (!Array.isArray(shape) || !shape.every((x) => Number.isSafeInteger(x) && x >= 1)) throw invalid(what)
  const [rows, ...extents] = shape as number[]
  const fits = extents.length === row.length && extents.every((x, i) => x === row[i] || row[i] === 'any length')
  if (rows === undefined || !fits || sizeOf(shape) > 2 ** 31 - 1)
    throw invalid(`${what}, got [${shape.slice(0, 16).join(', ')}]`)
  checkRowCount(rows, maxRows)
  return shape
}

/** @throws RequestError for more rows than may be */
export function checkRowCount(rows: number, maxRows: number): void {
  if (rows > maxRows)
    throw new RequestError('tooLarge', `at most ${maxRows} rows in a request are expected, got ${rows}`)
}
