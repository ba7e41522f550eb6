/** Links before an optimizer, which make other gradients of those of a step. */
import { checkFunction, describe } from '../base/arguments.ts'
import { DTypeError, expected, ShapeError } from '../base/errors.ts'
import { elementAt } from '../base/lists.ts'
import { sameShape } from '../base/shape.ts'
import { Tensor } from '../tensor/tensor.ts'
import { engineOf, Optimizer } from './optimizer.ts'
import type { NextStep, ParameterGradient, Stage } from './stage.ts'
import type { OptimizerState } from './state.ts'

/**
 * From the gradients of all parameters of a step to others of the same shapes and dtypes, in the same order: `clipByGlobalNorm(1)`, or a function
 * of your own on tensors. It becomes part of the program of the step.
 */
export type GradientTransform = (gradients: readonly Tensor[]) => readonly Tensor[]

class ChainStage implements Stage {
  readonly #inner: Stage
  readonly #link: GradientTransform
  readonly lossOf: Stage['lossOf']
  readonly keeper: Stage

  constructor(inner: Stage, link: GradientTransform) {
    this.#inner = inner
    this.keeper = inner.keeper ?? inner
    this.#link = link
    this.lossOf = inner.lossOf && ((loss, state) => inner.lossOf?.(loss, state) ?? loss)
  }

  next(gradients: readonly ParameterGradient[], state: OptimizerState): NextStep {
    const given = gradients.map(([, gradient]) => gradient)
    const found: unknown = this.#link([...given])
    if (!Array.isArray(found) || found.length !== given.length) {
      const got = Array.isArray(found) ? `${found.length}` : describe(found)
      throw new TypeError(expected('chain', `a link that gives ${given.length} gradients`, got))
    }
    const pairs = gradients.map(
      ([parameter, gradient], i): ParameterGradient => [parameter, checkedGradient(gradient, elementAt(found, i))],
    )
    return this.#inner.next(pairs, state)
  }
}

function checkedGradient(before: Tensor, after: unknown): Tensor {
  if (!(after instanceof Tensor)) throw new TypeError(expected('chain', 'a link that gives tensors', describe(after)))
  if (!sameShape(before.shape, after.shape))
    throw new ShapeError(expected('chain', `a link that gives a gradient like ${before}`, after))
  if (before.dtype !== after.dtype)
    throw new DTypeError(expected('chain', `a link that gives a gradient like ${before}`, after))
  return after
}

/**
 * An optimizer whose gradients go through links first, in their order. It is the optimizer that was given in all else: its state, its steps
 * and its learning rate are the same, whichever of the two is used. optax's `chain`; Keras's `clipnorm`, `global_clipnorm` and `clipvalue` are
 * links.
 *
 * @throws TypeError where what comes last is no optimizer, or a link no function; at a step, TypeError, ShapeError, DTypeError for what a link
 * gives
 *
 * @example
 * chain(clipByGlobalNorm(1), adam())
 * chain((gradients) => gradients.map((g) => g.sub(g.mean())), adam()) // centralized
 */
export function chain(...parts: [...links: GradientTransform[], optimizer: Optimizer]): Optimizer {
  const links = parts.slice(0, -1) as GradientTransform[]
  const optimizer = parts.at(-1)
  if (!(optimizer instanceof Optimizer))
    throw new TypeError(expected('chain', 'an optimizer at the end', describe(optimizer)))
  for (const link of links) checkFunction('chain', 'functions of gradients before the optimizer', link)
  const engine = engineOf(optimizer)
  return new Optimizer({
    ...engine,
    stage: links.reduceRight<Stage>((inner, link) => new ChainStage(inner, link), engine.stage),
  })
}
