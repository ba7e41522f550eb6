/** The distinct elements of a tensor: values of a size that is not known before. */
import { refuseSurplus } from '../base/arguments.ts'
import type { TypedArray } from '../base/dtype.ts'
import { allocate } from '../base/dtype.ts'
import { type Shape, sizeOf } from '../base/shape.ts'
import { reshape } from '../graph/ops/broadcast.ts'
import { data } from '../graph/ops/leaf.ts'
import { evaluate, evaluateSync, nodeOf, type Tensor, type TensorLike, toTensor, wrap } from '../tensor/tensor.ts'
import { argsort } from './sort.ts'

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

/** All elements, and where they are in ascending order: NaN last. */
function inOrder(x: Tensor): [elements: Tensor, order: Tensor] {
  const elements = wrap(reshape(nodeOf(x), [sizeOf(x.shape)]))
  return [elements, argsort(elements)]
}

/** `order` says where the elements are in ascending order, NaN last. */
function uniqueOf({ dtype, shape }: Tensor, elements: TypedArray, order: TypedArray): Unique {
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
export async function unique(x: TensorLike, ...surplus: []): Promise<Unique> {
  refuseSurplus('unique', 1, surplus)
  const tensor = toTensor('unique', x)
  const [elements, order] = await evaluate(...inOrder(tensor))
  return uniqueOf(tensor, elements.dataSync(), order.dataSync())
}

/**
 * `unique`, here and now.
 * @throws TypeError inside compile
 * @pytorch torch.unique
 * @tensorflow tf.unique
 */
export function uniqueSync(x: TensorLike, ...surplus: []): Unique {
  refuseSurplus('uniqueSync', 1, surplus)
  const tensor = toTensor('uniqueSync', x)
  const [elements, order] = evaluateSync(...inOrder(tensor))
  return uniqueOf(tensor, elements.dataSync(), order.dataSync())
}
