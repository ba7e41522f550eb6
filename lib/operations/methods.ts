/**
 * The operations as methods: `x.squeeze()` is `squeeze(x)`. Every function whose first operand is a tensor is put on its
 * prototype here, so whoever calls methods has this file loaded; what is below calls the functions.
 */
import { Tensor } from '../tensor/tensor.ts'
import * as operations from './index.ts'

const {
  broadcastArrays: _broadcastArrays,
  concat: _concat,
  einsum: _einsum,
  meshgrid: _meshgrid,
  stack: _stack,
  ...methods
} = operations

type MethodOf<F> = F extends (x: infer _, ...rest: infer Rest) => infer Result ? (...rest: Rest) => Result : never

/** What the functions are as methods: without their first operand. */
type OperationMethods = { [Name in keyof typeof methods]: MethodOf<(typeof methods)[Name]> }

declare module '../tensor/tensor.ts' {
  interface Tensor extends OperationMethods {}
}

for (const [name, operation] of Object.entries<(x: Tensor, ...rest: never[]) => unknown>(methods)) {
  const method = function (this: Tensor, ...rest: never[]) {
    return operation(this, ...rest)
  }
  Object.defineProperty(Tensor.prototype, name, { value: method, configurable: true, writable: true })
}
