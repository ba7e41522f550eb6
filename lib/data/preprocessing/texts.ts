/** Texts, which live outside of programs, as indices, which programs take. */
import { describe } from '../../base/arguments.ts'
import { expected, ShapeError } from '../../base/errors.ts'
import { maxRank } from '../../base/shape.ts'
import { tensor } from '../../tensor/creation.ts'
import type { Tensor } from '../../tensor/tensor.ts'

/** A text, null where it is missing, or lists of them, also in each other. */
export type Texts = string | null | readonly Texts[]

/** The same lists as a tensor of what `indexOf` says of each text. */
export function textIndices(op: string, texts: Texts, indexOf: (text: string | null) => number): Tensor {
  const shape: number[] = []
  const indices: number[] = []
  const enter = (part: Texts, axis: number): void => {
    if (typeof part === 'string' || part === null) {
      if (axis !== shape.length) throw new ShapeError(expected(op, 'lists of texts of one shape', 'others'))
      indices.push(indexOf(part))
      return
    }
    if (!Array.isArray(part)) throw new TypeError(expected(op, 'a text, or texts in lists', describe(part)))
    if (axis === maxRank) throw new ShapeError(expected(op, `at most ${maxRank} axes`, 'lists that are nested deeper'))
    if (indices.length === 0 && axis === shape.length) shape.push(part.length)
    if (part.length !== shape[axis]) throw new ShapeError(expected(op, 'lists of texts of one shape', 'others'))
    for (const inner of part) enter(inner, axis + 1)
  }
  enter(texts, 0)
  return tensor(Int32Array.from(indices), { shape })
}
