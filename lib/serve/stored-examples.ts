/** The examples of an online trainer as they are in its checkpoints: of each part one array with that of all rows. */
import { allocateChecked } from '../base/arrays.ts'
import type { TypedArray } from '../base/dtype.ts'
import { DataFormatError, expected } from '../base/errors.ts'
import { inTurns, type Pieces } from '../base/turns.ts'
import { data } from '../graph/ops/leaf.ts'
import { type Tensor, wrap } from '../tensor/tensor.ts'
import type { Example } from './examples.ts'
import type { InputSpec } from './inputs.ts'

export interface StoredExamples {
  /** How long each row is, where rows are of any length. */
  readonly lengths: Int32Array
  readonly parts: readonly StoredPart[]
}

interface StoredPart {
  /** Undefined where there are no rows. */
  readonly elements?: Tensor
  /** How many of them are of each row. */
  readonly sizes: Int32Array
}

/** Elements that are copied at a time. */
const elementsPerPiece = 2 ** 18

/** @param specs of the parts of a row, and of its target */
export const stored = (
  op: string,
  examples: readonly Example[],
  specs: readonly InputSpec[],
): Promise<StoredExamples> => inTurns(storedInPieces(op, examples, specs))

function* storedInPieces(
  op: string,
  examples: readonly Example[],
  specs: readonly InputSpec[],
): Pieces<StoredExamples> {
  const parts: StoredPart[] = []
  for (const [i, { dtype }] of specs.entries()) {
    const arrays = examples.map((example) => partsOf(example)[i]!)
    const sizes = Int32Array.from(arrays, ({ length }) => length)
    const shape = [sizes.reduce((sum, size) => sum + size, 0)]
    const all = allocateChecked(op, dtype, shape)
    let [offset, copied] = [0, 0]
    for (const array of arrays) {
      all.set(array, offset)
      offset += array.length
      if (offset - copied < elementsPerPiece) continue
      copied = offset
      yield
    }
    parts.push(examples.length === 0 ? { sizes } : { elements: wrap(data(all, dtype, shape)), sizes })
  }
  return { lengths: Int32Array.from(examples, ({ row }) => row.length), parts }
}

const partsOf = ({ row, target }: Example): readonly TypedArray[] => [...row.parts, ...target.parts]

/** @throws DataFormatError for sizes that are not those of the elements */
export function examplesOf(op: string, { lengths, parts }: StoredExamples): Example[] {
  const columns = parts.map(({ elements, sizes }) => {
    const all = elements?.dataSync()
    let offset = 0
    const rows = Array.from(sizes, (size) => {
      offset += size
      return all?.slice(offset - size, offset)
    })
    if (rows.length !== lengths.length || offset !== (all?.length ?? 0))
      throw new DataFormatError(expected(op, `${offset} elements of ${lengths.length} rows`, all?.length ?? 'none'))
    return rows as TypedArray[]
  })
  return Array.from(lengths, (length, i) => {
    const row = columns.map((column) => column[i]!)
    return { row: { parts: row.slice(0, -1), length }, target: { parts: row.slice(-1), length: 0 } }
  })
}
