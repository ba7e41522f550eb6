/**
 * The operations as methods: `x.squeeze()` is `squeeze(x)`. Those of basic.ts stand in the class itself; of every other
 * family, the functions of a tensor are put on its prototype here. The library itself calls the functions.
 */

import { Tensor } from '../tensor/tensor.ts'
import * as activations from './activations.ts'
import * as attention from './attention.ts'
import * as convolution from './convolution.ts'
import * as diagonals from './diagonals.ts'
import * as dropout from './dropout.ts'
import * as embedding from './embedding.ts'
import * as histogram from './histogram.ts'
import * as indexing from './indexing.ts'
import * as joining from './joining.ts'
import * as logic from './logic.ts'
import * as masking from './masking.ts'
import * as math from './math.ts'
import * as normalization from './normalization.ts'
import * as padding from './padding.ts'
import * as pooling from './pooling.ts'
import * as products from './products.ts'
import * as rearrange from './rearrange.ts'
import * as reduce from './reduce.ts'
import * as scan from './scan.ts'
import * as shape from './shape.ts'
import * as sort from './sort.ts'
import { unique, uniqueSync } from './unique.ts'
import * as upsampling from './upsampling.ts'

const { stack: _stack, meshgrid: _meshgrid, broadcastArrays: _broadcastArrays, ...ofOne } = joining

const methods = {
  ...activations,
  ...logic,
  ...math,
  ...diagonals,
  ...indexing,
  ...ofOne,
  ...masking,
  ...padding,
  ...products,
  ...rearrange,
  ...shape,
  ...convolution,
  ...pooling,
  ...upsampling,
  ...attention,
  ...dropout,
  ...embedding,
  ...normalization,
  ...histogram,
  ...reduce,
  ...scan,
  ...sort,
  unique,
  uniqueSync,
}

type MethodOf<F> = F extends (x: infer _, ...rest: infer Rest) => infer Result ? (...rest: Rest) => Result : never

/** What the functions are as methods: without their first operand. */
export type OperationMethods = { [Name in keyof typeof methods]: MethodOf<(typeof methods)[Name]> }

for (const [name, operation] of Object.entries<(x: Tensor, ...rest: never[]) => unknown>(methods)) {
  const method = function (this: Tensor, ...rest: never[]) {
    return operation(this, ...rest)
  }
  Object.defineProperty(Tensor.prototype, name, { value: method, configurable: true, writable: true })
}
