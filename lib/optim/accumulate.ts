/** Steps along the mean gradient of several batches. */
import { checkInteger, describe, refuseSurplus } from '../base/arguments.ts'
import { expected } from '../base/errors.ts'
import { where } from '../operations/index.ts'
import { tensor, zerosLike } from '../tensor/creation.ts'
import { engineOf, Optimizer } from './optimizer.ts'
import { both, type NextStep, type ParameterGradient, type Stage, type Update, updatesWhere } from './stage.ts'
import type { OptimizerState } from './state.ts'

/** Whose the sums around a stage are: the same for all that accumulate around it, such as several calls of `fit` with one optimizer. */
const owners = new WeakMap<Stage, object>()

function ownerAround(stage: Stage): object {
  const owner = owners.get(stage) ?? {}
  owners.set(stage, owner)
  return owner
}

class AccumulatingStage implements Stage {
  readonly #inner: Stage
  readonly #owner: object
  readonly #count: number
  readonly lossOf: Stage['lossOf']

  constructor(inner: Stage, count: number) {
    this.#inner = inner
    this.#owner = ownerAround(inner.keeper ?? inner)
    this.#count = count
    this.lossOf = inner.lossOf && ((loss, state) => inner.lossOf?.(loss, state) ?? loss)
  }

  next(gradients: readonly ParameterGradient[], state: OptimizerState): NextStep {
    const batches = state.shared(this.#owner, 'accumulatedBatches', () => tensor(0))
    const count = batches.add(1)
    // More of them are there where the last ones were of an optimizer that waits for more.
    const isLast = count.greaterEqual(this.#count)
    const sums = gradients.map(([parameter, gradient]) => {
      const kept = state.slot(this.#owner, parameter, 'accumulatedGradient', () => zerosLike(parameter))
      return { parameter, kept, sum: kept.add(gradient) }
    })
    const { updates, applies } = this.#inner.next(
      sums.map(({ parameter, sum }) => [parameter, sum.div(count.cast(parameter.dtype))]),
      state,
    )
    const kept = [{ kept: batches, sum: count }, ...sums].map(({ kept, sum }): Update => [kept, where(isLast, 0, sum)])
    return { updates: [...updatesWhere(isLast, updates), ...kept], applies: both(isLast, applies) }
  }
}

/**
 * An optimizer that takes a step only every `count` calls of `minimize`, along the mean of their gradients: the step of one batch of them all,
 * within the rounding of float32, in the memory of one of them. What the optimizer counts moves with these steps alone, and so do its
 * schedules. Gradients that are left at the end of an epoch go into the next step. Keras's `gradient_accumulation_steps`, optax's `MultiSteps`.
 * The update is computed in every call, and kept in the last, as what runs is one program.
 *
 * @example
 * accumulate(adam(), 4)
 * accumulate(chain(clipByGlobalNorm(1), adam()), 4) // clips the mean
 */
export function accumulate(optimizer: Optimizer, count: number, ...surplus: []): Optimizer {
  refuseSurplus('accumulate', 2, surplus)
  if (!(optimizer instanceof Optimizer))
    throw new TypeError(expected('accumulate', 'an optimizer', describe(optimizer)))
  checkInteger('accumulate', 'an integer count of at least 1', count, 1, 2 ** 24)
  const engine = engineOf(optimizer)
  return new Optimizer({ ...engine, stage: new AccumulatingStage(engine.stage, count) })
}
