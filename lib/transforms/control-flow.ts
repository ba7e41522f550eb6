/** Loops as long as a condition holds, and choices by a value that is computed: in the program, without gradients. */
import { checkFunction, describe } from '../base/arguments.ts'
import { expected } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { formatShape, maxExtent, sizeOf } from '../base/shape.ts'
import { argument } from '../graph/body.ts'
import { type Node, nodeCount } from '../graph/node.ts'
import { reshape } from '../graph/ops/broadcast.ts'
import { branch, whileLoop as whileNodes } from '../graph/ops/control.ts'
import type { Carry } from '../graph/ops/loop.ts'
import { sliceAlong } from '../graph/ops/movement.ts'
import { keysFrom, withDerivedKeys } from '../tensor/random.ts'
import { nodeOf, Tensor } from '../tensor/tensor.ts'
import { plainFunction } from './differentiable.ts'
import { nodesLike, nodeTree, type ReadonlyTensors, runStep, type Tensors } from './step-function.ts'

export interface WhileLoopOptions {
  /** How many steps there are at most, whatever the condition; as many as it takes unless given. */
  maxSteps?: number
}

const whileLoopOptions: OptionTypes<WhileLoopOptions> = { maxSteps: 'number' }

/** What a predicate is: one bool. */
function predicateOf(op: string, what: string, value: unknown): Node {
  const node = value instanceof Tensor ? nodeOf(value) : undefined
  if (node === undefined || node.dtype !== 'bool' || sizeOf(node.shape) !== 1) {
    const got = node === undefined ? describe(value) : `${node.dtype}${formatShape(node.shape)}`
    throw new TypeError(expected(op, `${what} that is one bool`, got))
  }
  return reshape(node, [])
}

const plain = <F>(op: string, f: F): F => plainFunction(op, f as never) as F

/**
 * Calls `body(carry)` as long as `condition(carry)` is true, each time with the carry that it gave before, and gives the last
 * one: tensors, or arrays and plain objects of them. Both are recorded once, and run in the program. It has no gradient: `scan`
 * has, and is what a loop of known length is.
 *
 * The forms that are awaited run it off the event loop, and an AbortSignal ends it between two steps. Those that run here and now
 * (`dataSync`, `compiled.sync`, …) want `maxSteps`, as nothing could end a loop that does not end by itself.
 *
 * @throws ShapeError, DTypeError for a carry that changes its type; TypeError for a condition that is no bool, for functions
 * that are async or assign variables, and from a synchronous form for a loop without `maxSteps`; GradientError where a gradient is asked
 * for
 *
 * @example
 * // The first power of 3 above 1000
 * const power = whileLoop((x) => x.lessEqual(1000), (x) => x.mul(3), tensor(1), { maxSteps: 100 })
 * power.itemSync() // 2187
 * @pytorch torch._higher_order_ops.while_loop
 * @tensorflow tf.while_loop
 */
export function whileLoop<const C>(
  condition: (carry: Tensors<C>) => Tensor,
  body: (carry: Tensors<C>) => ReadonlyTensors<C>,
  carry: C,
  options?: WhileLoopOptions,
  ...surplus: []
): Tensors<C> {
  const { maxSteps } = checkOptions('whileLoop', options, whileLoopOptions, surplus)
  if (maxSteps !== undefined && !(Number.isInteger(maxSteps) && maxSteps >= 0 && maxSteps < maxExtent))
    throw new RangeError(expected('whileLoop', `maxSteps from 0 to ${maxExtent - 1}`, maxSteps))
  checkFunction('whileLoop', 'a condition, a function', condition)
  checkFunction('whileLoop', 'a body, a function', body)
  const initial = nodeTree('whileLoop', 'carry', carry)
  if (initial.leaves.length === 0) throw new TypeError(expected('whileLoop', 'something to carry', 'nothing'))
  const args = initial.leaves.map(([, node]) => argument(node))
  const given = initial.rebuild(args) as Tensors<C>
  const refuseDraws = (): never => {
    throw new TypeError(expected('whileLoop', 'a condition that draws no random numbers', 'one that does'))
  }
  const goesOn = withDerivedKeys(refuseDraws, () =>
    predicateOf(
      'whileLoop',
      'a condition',
      runStep('whileLoop', () => plain('whileLoop', condition)(given)),
    ),
  )
  const keys: Carry[] = []
  const next = withDerivedKeys(
    (key) => keyOfStep(key, keys),
    () => runStep('whileLoop', () => plain('whileLoop', body)(given)),
  )
  const nexts = nodesLike('whileLoop', 'carry', next, initial)
  const carries = initial.leaves.map(([, node], i) => ({ arg: args[i]!, initial: node, next: nexts[i]! }))
  const results = whileNodes([...carries, ...keys], goesOn, maxSteps)
  return initial.rebuild(results) as Tensors<C>
}

/** Of two keys that follow from the one that is carried, one is for the draw of the step, and one is carried on. */
function keyOfStep(key: Node, keys: Carry[]): Node {
  const arg = argument(key)
  const both = keysFrom(arg, 2)
  const at = (row: number) => reshape(sliceAlong(both, 0, row, 1), [2])
  keys.push({ arg, initial: key, next: at(1) })
  return at(0)
}

/**
 * What `ifTrue(...operands)` gives where the predicate is true when the program runs, and else what `ifFalse(...operands)` gives:
 * tensors, or arrays and plain objects of them, of the same types. Both are recorded, and one is computed. It has no gradient:
 * `where` has, which computes both.
 *
 * @param predicate a bool of one element
 * @throws TypeError for a predicate that is no bool, functions that are async or assign variables, or results of different
 * containers; ShapeError, DTypeError for results of different types; GradientError where a gradient is asked for
 *
 * @example
 * const scaled = cond(x.abs().max().greater(10), (x) => x.div(10), (x) => x, x)
 * @pytorch torch.cond
 * @tensorflow tf.cond
 */
export function cond<const X extends readonly unknown[], R>(
  predicate: Tensor,
  ifTrue: (...operands: Tensors<X> & unknown[]) => R,
  ifFalse: (...operands: Tensors<X> & unknown[]) => ReadonlyTensors<R>,
  ...operands: X
): Tensors<R> {
  const chosen = predicateOf('cond', 'a predicate', predicate)
  checkFunction('cond', 'ifTrue, a function', ifTrue)
  checkFunction('cond', 'ifFalse, a function', ifFalse)
  const given = nodeTree('cond', 'operands', operands)
  const since = nodeCount()
  const args = given.leaves.map(([, node]) => argument(node))
  const run = (f: unknown) =>
    runStep('cond', () => (plain('cond', f) as (...xs: unknown[]) => unknown)(...(given.rebuild(args) as unknown[])))
  const whenTrue = nodeTree('cond', 'value', run(ifTrue))
  if (whenTrue.leaves.length === 0) throw new TypeError(expected('cond', 'functions that give tensors', 'nothing'))
  const whenFalse = nodesLike('cond', 'value', run(ifFalse), whenTrue)
  const values = given.leaves.map(([, value], i) => ({ arg: args[i]!, value }))
  const results = branch(chosen, values, [whenTrue.leaves.map(([, node]) => node), whenFalse], since)
  return whenTrue.rebuild(results) as Tensors<R>
}
