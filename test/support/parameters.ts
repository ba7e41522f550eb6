/** Modules as functions of their parameters. */
import { vi } from 'vitest'
import type { nn, Tensor } from '../../lib/index.ts'

/** Runs `fn` with the nodes of other tensors in place of the module's parameters, in their order. */
export function withParameters<T>(module: nn.Module, values: readonly Tensor[], fn: () => T): T {
  const spies = module
    .parameters()
    .map((parameter, i) => vi.spyOn(parameter, 'node', 'get').mockReturnValue(values[i]!.node))
  try {
    return fn()
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
}
