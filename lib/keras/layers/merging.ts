/** Layers that make one tensor of several. */
import { normalizeAxis } from '../../base/shape.ts'
import * as g from '../../operations/index.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { asFloat, type Make } from '../layer.ts'
import { both, masked, maskOf } from '../masks.ts'

const maskOfAll = (inputs: readonly Tensor[]): Tensor | undefined =>
  inputs.map(maskOf).reduce<Tensor | undefined>(both, undefined)

/** Where they have not as many axes, those of fewer get axes behind that of the batch. */
function aligned(inputs: readonly Tensor[]): Tensor[] {
  const rank = Math.max(...inputs.map(({ ndim }) => ndim))
  return inputs.map((x) => {
    const missing = new Array<number>(rank - x.ndim).fill(1)
    return missing.length === 0 ? x : x.reshape([x.shape[0] ?? 1, ...missing, ...x.shape.slice(1)])
  })
}

const merge =
  (join: (a: Tensor, b: Tensor) => Tensor, finish = (x: Tensor, _count: number) => x): Make =>
  (config) => ({
    forward(_, { list }) {
      if (list.length < 2) config.fail('at least two inputs', list)
      const result = finish(aligned(list).reduce(join), list.length)
      return masked(result, maskOfAll(list))
    },
  })

const concatenate: Make = (config) => {
  const axis = config.integer('axis', -1)
  return { forward: (_, { list }) => masked(g.concat(list, axis), maskOfAll(list)) }
}

/** Products over an axis of each, or the same of both; with `normalize` cosines. */
const dot: Make = (config) => {
  const axes = config.integers('axes')
  const normalizes = config.flag('normalize', false)
  return {
    forward(_, { list }) {
      if (list.length !== 2) config.fail('two inputs', list)
      const [a, b] = list.map(asFloat) as [Tensor, Tensor]
      const [i, j] = [axes[0]!, axes.at(-1)!]
      const unit = (x: Tensor, axis: number) =>
        normalizes ? x.div(g.maximum(g.sum(x.square(), axis, { keepDims: true }), 1e-12).sqrt()) : x
      return batchDot(unit(a, i), unit(b, j), i, j)
    },
  }
}

/** The axes of a, then those of b, without the contracted ones and without the second batch. */
function batchDot(a: Tensor, b: Tensor, i: number, j: number): Tensor {
  const lastA = moved(a, normalizeAxis('Dot', i, a.ndim))
  const lastB = moved(b, normalizeAxis('Dot', j, b.ndim))
  const [batch, width] = [a.shape[0]!, lastA.shape.at(-1)!]
  const [outerA, outerB] = [lastA.shape.slice(1, -1), lastB.shape.slice(1, -1)]
  const product = lastA.reshape([batch, -1, width]).matmul(lastB.reshape([batch, -1, width]).transpose([0, 2, 1]))
  const outer = [...outerA, ...outerB]
  return product.reshape(outer.length === 0 ? [batch, 1] : [batch, ...outer])
}

const moved = (x: Tensor, axis: number): Tensor => (axis === x.ndim - 1 ? x : g.moveAxis(x, axis, -1))

export const mergingLayers = {
  Add: merge((a, b) => a.add(b)),
  Subtract: merge((a, b) => a.sub(b)),
  Multiply: merge((a, b) => a.mul(b)),
  Average: merge(
    (a, b) => a.add(b),
    (x, count) => x.div(count),
  ),
  Maximum: merge((a, b) => g.maximum(a, b)),
  Minimum: merge((a, b) => g.minimum(a, b)),
  Concatenate: concatenate,
  Dot: dot,
} satisfies Record<string, Make>
