/** Modules as functions of their parameters. */

import { vi } from 'vitest'
import type { nn, Tensor } from '../../lib/index.ts'
import { nodeOf } from '../../lib/tensor/tensor.ts'
import { cellOf } from '../../lib/tensor/variable.ts'

/** Runs `fn` with the nodes of other tensors in place of the module's parameters, in their order. */
export function withParameters<T>(module: nn.Module, values: readonly Tensor[], fn: () => T): T {
  const spies = module
    .parameters()
    .map((parameter, i) => vi.spyOn(cellOf(parameter), 'node', 'get').mockReturnValue(nodeOf(values[i]!)))
  try {
    return fn()
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
}
