/** Loops over the first axis of tensors, as one operation. */
import { checkFunction, describe } from '../base/arguments.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { formatShape, maxExtent } from '../base/shape.ts'
import { argument } from '../graph/body.ts'
import type { Node } from '../graph/node.ts'
import { loop, type Sequence } from '../graph/ops/loop.ts'
import { keysFrom, withDerivedKeys } from '../tensor/random.ts'
import { plainFunction } from './differentiable.ts'
import { type NodeTree, nodesLike, nodeTree, type ReadonlyTensors, runStep, type Tensors } from './step-function.ts'

export interface ScanOptions {
  /** How many steps there are, where there are no sequences to say so. */
  length?: number
  /** From the last entry to the first; false unless given. Outputs stand at the places of their entries. */
  reverse?: boolean
  /**
   * Whether the gradient computes the inside of a step again from the carry before it, instead of keeping what it needs of
   * every step: less memory, for one more forward computation. False unless given.
   */
  recompute?: boolean
}

const scanOptions: OptionTypes<ScanOptions> = { length: 'number', reverse: 'boolean', recompute: 'boolean' }

/**
 * Calls `step(carry, x)` for each entry x of the first axis of `xs`, with the carry that the step before gave, and gives the
 * last carry and the outputs of all steps, stacked along a new first axis. `carry`, `xs` and the outputs are tensors, or arrays
 * and plain objects of them; `xs` may be null where a `length` is given, and an output null or undefined.
 *
 * The step is recorded once, so that the time to compile does not depend on how many there are, and is one operation with
 * gradients of any order, also with respect to what it reads besides its arguments: of matrix products their weights' gradients
 * are one product after the loop. Random numbers differ from step to step. It gives a carry of the shapes and dtypes that it was
 * given, and assigns no variables.
 *
 * @returns [the carry after the last step, the outputs]
 * @throws ShapeError, DTypeError for a carry that changes its type, or first axes that differ; TypeError for a step that is
 * async, assigns a variable or gives something else
 *
 * @example
 * const [total, sums] = scan((sum, x) => [sum.add(x), sum.add(x)], tensor(0), tensor([1, 2, 3]))
 * sums.arraySync() // [1, 3, 6]
 * @pytorch torch._higher_order_ops.scan
 * @tensorflow tf.scan
 */
export function scan<const C, const X, Y>(
  step: (carry: Tensors<C>, x: Tensors<X>) => readonly [ReadonlyTensors<C>, Y],
  carry: C,
  xs: X,
  options?: ScanOptions,
  ...surplus: []
): [carry: Tensors<C>, outputs: Tensors<Y>] {
  const { length, reverse = false, recompute = false } = checkOptions('scan', options, scanOptions, surplus)
  checkFunction('scan', 'a function', step)
  const initial = nodeTree('scan', 'carry', carry)
  const wholes = nodeTree('scan', 'xs', xs, true)
  const steps = lengthOf(wholes, length)
  const carryArgs = initial.leaves.map(([, node]) => argument(node))
  const parts = wholes.leaves.map(([, node]) => argument({ dtype: node.dtype, shape: node.shape.slice(1) }))
  const keys: Sequence[] = []
  const keyOfStep = (key: Node): Node => {
    const arg = argument({ dtype: 'int32', shape: [2] })
    keys.push({ arg, whole: keysFrom(key, steps) })
    return arg
  }
  const given: unknown = withDerivedKeys(keyOfStep, () =>
    runStep('scan', () =>
      plainStep(step)(initial.rebuild(carryArgs) as Tensors<C>, wholes.rebuild(parts) as Tensors<X>),
    ),
  )
  if (!Array.isArray(given) || given.length !== 2)
    throw new TypeError(expected('scan', 'a step that returns [carry, output]', describe(given)))
  const nexts = nodesLike('scan', 'carry', given[0], initial)
  const outputs = nodeTree('scan', 'output', given[1], true)
  const results = loop({
    length: steps,
    reverse,
    recompute,
    carries: initial.leaves.map(([, node], i) => ({ arg: carryArgs[i]!, initial: node, next: nexts[i]! })),
    sequences: [...wholes.leaves.map(([, whole], i) => ({ arg: parts[i]!, whole })), ...keys],
    outputs: outputs.leaves.map(([, node]) => node),
  })
  return [initial.rebuild(results.finals) as Tensors<C>, outputs.rebuild(results.outputs) as Tensors<Y>]
}

/** A compiled one is recorded like what it was made of. */
const plainStep = <F>(step: F): F => plainFunction('scan', step as never) as F

/** The extent of the first axes, or the length that was given. */
function lengthOf({ leaves }: NodeTree, given: number | undefined): number {
  if (given !== undefined && !(Number.isInteger(given) && given >= 0 && given <= maxExtent))
    throw new RangeError(expected('scan', `a length from 0 to ${maxExtent}`, given))
  let length = given
  for (const [path, { shape }] of leaves) {
    const [extent] = shape
    if (extent === undefined) throw new ShapeError(expected('scan', `${path} of at least one axis`, formatShape(shape)))
    length ??= extent
    if (extent !== length)
      throw new ShapeError(expected('scan', `first axes of ${length}`, `${path} of shape ${formatShape(shape)}`))
  }
  if (length === undefined) throw new TypeError(expected('scan', 'sequences, or a length', 'neither'))
  return length
}
