/** The distinct elements of a tensor: values of a size that is not known before. */
import type { TypedArray } from '../base/dtype.ts'
import { allocate } from '../base/dtype.ts'
import type { Shape } from '../base/shape.ts'
import { data } from '../graph/ops/leaf.ts'
import { type Tensor, type TensorLike, toTensor, wrap } from '../tensor/tensor.ts'

/** What unique gives. */
export interface Unique {
  /** In ascending order, NaN at the end. */
  readonly values: Tensor
  /** Where each element of x is among the values: int32, of the shape of x. */
  readonly inverse: Tensor
  /** How often each of the values occurs: int32. */
  readonly counts: Tensor
}

const leaf = (array: TypedArray, { dtype, shape }: { dtype: Tensor['dtype']; shape: Shape }): Tensor =>
  wrap(data(array, dtype, shape, false))

function uniqueOf({ dtype, shape }: Tensor, elements: TypedArray): Unique {
  const order = Int32Array.from(elements, (_, i) => i)
  // Subtraction orders neither infinities nor NaN, which comes last.
  const compare = (a: number, b: number) => (a < b ? -1 : a > b ? 1 : Number(Number.isNaN(a)) - Number(Number.isNaN(b)))
  order.sort((i, j) => compare(elements[i]!, elements[j]!))
  const firsts: number[] = []
  const inverse = new Int32Array(elements.length)
  order.forEach((at, place) => {
    // A NaN equals nothing, so each is a value of its own, as in PyTorch.
    if (place === 0 || elements[at] !== elements[order[place - 1]!]) firsts.push(place)
    inverse[at] = firsts.length - 1
  })
  const values = allocate(dtype, firsts.length).map((_, i) => elements[order[firsts[i]!]!]!)
  const counts = Int32Array.from(firsts, (first, i) => (firsts[i + 1] ?? elements.length) - first)
  return {
    values: leaf(values, { dtype, shape: [values.length] }),
    inverse: leaf(inverse, { dtype: 'int32', shape }),
    counts: leaf(counts, { dtype: 'int32', shape: [counts.length] }),
  }
}

/**
 * The distinct elements of x in ascending order, how often each occurs and where each element of x is among them. How
 * many there are depends on data, so x is evaluated, and nothing of it can be recorded in a compiled function.
 * @throws TypeError inside compile
 * @example
 * const { values, counts } = await unique([3, 1, 3]) // [1, 3], [1, 2]
 * @pytorch torch.unique
 * @tensorflow tf.unique
 * @numpy np.unique
 */
export async function unique(x: TensorLike): Promise<Unique> {
  const tensor = toTensor('unique', x)
  return uniqueOf(tensor, await tensor.data())
}

/**
 * `unique`, here and now.
 * @throws TypeError inside compile
 * @pytorch torch.unique
 * @tensorflow tf.unique
 */
export function uniqueSync(x: TensorLike): Unique {
  const tensor = toTensor('uniqueSync', x)
  return uniqueOf(tensor, tensor.dataSync())
}
