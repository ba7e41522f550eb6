/** What families share: constant tensors whose elements are functions of their places, and errors that name the node. */
import { arrayOf } from '../../base/arrays.ts'
import type { DType } from '../../base/dtype.ts'
import type { Shape } from '../../base/shape.ts'
import { tensor } from '../../tensor/creation.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { formatError, op } from '../errors.ts'
import type { Call } from './call.ts'

export const table = (dtype: DType, shape: Shape, element: (i: number) => number): Tensor =>
  tensor(arrayOf(op, dtype, shape, element), { dtype, shape })

/** What is wrong with a node, apart from a single attribute. */
export const wrong = (n: Call, what: string, got: string): Error => formatError(what, got, n.info.place)
