/** Functions that run in search of the first NaN. */
import { checkFunction } from '../base/arguments.ts'
import { isThenable, mapTree } from '../base/tree.ts'
import type { Node } from '../graph/node.ts'
import { startNoting, stopNoting } from '../graph/origin.ts'
import { evaluateNodes, evaluateNodesSync } from '../runtime/evaluate.ts'
import { nodeOf, Tensor } from '../tensor/tensor.ts'

function nodesIn(result: unknown): Node[] {
  const nodes: Node[] = []
  mapTree('detectAnomaly', result, (x) => x instanceof Tensor && nodes.push(nodeOf(x)))
  return nodes
}

async function finish<T>(pending: PromiseLike<T>): Promise<T> {
  try {
    const result = await pending
    await evaluateNodes(nodesIn(result))
    return result
  } finally {
    stopNoting()
  }
}

/**
 * Runs a function and throws at the first operation that gives a NaN, of the forward or of the backward computation,
 * with the line that recorded it: for a gradient, the line of the operation whose gradient it is. Every value on the
 * way is computed and looked at, the tensors that the function returns included, and compiled functions run
 * uncompiled: this is for finding a fault, not for training. Stacks are noted only meanwhile. Of an async function,
 * until its promise settles.
 *
 * @throws AnomalyError
 * @example
 * detectAnomaly(() => gradients(x.sqrt().mul(0).sum(), [x]))
 * // at x = 0: "detectAnomaly: div gave NaN in the gradient of sqrt, which was recorded at …/train.ts:12:5"
 * @pytorch torch.autograd.detect_anomaly
 * @tensorflow tf.debugging.enable_check_numerics
 */
export function detectAnomaly<T>(fn: () => T): T {
  checkFunction('detectAnomaly', 'a function', fn)
  startNoting()
  let result: T
  try {
    result = fn()
    if (!isThenable(result)) evaluateNodesSync(nodesIn(result))
  } catch (error) {
    stopNoting()
    throw error
  }
  if (isThenable(result)) return finish(result) as T
  stopNoting()
  return result
}
