/** An optimizer that tells what it sees at each step it records, and does the same steps. */

import { tensor } from '../tensor/creation.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Minimizer } from './minimizer.ts'
import { engineOf, Optimizer } from './optimizer.ts'
import { stepName } from './rule-stage.ts'
import type { Engine, NextStep, ParameterGradient, Stage } from './stage.ts'
import type { OptimizerState } from './state.ts'

/** Of a step while it is recorded. */
export interface SeenStep {
  /** As the loss has them, before they are clipped or added up; undefined of optimizers that are not of `optim`. */
  readonly gradients?: readonly ParameterGradient[]
  /** A scalar that the gradients are to be divided by: they are of a loss that was scaled. */
  readonly scale?: Tensor | undefined
  /** Of a schedule, before the step. */
  readonly learningRate?: Tensor | undefined
}

class WatchStage implements Stage {
  readonly #inner: Stage
  readonly #engine: Engine
  readonly #note: (seen: SeenStep) => void
  readonly lossOf: Stage['lossOf']
  readonly keeper: Stage

  constructor(engine: Engine, note: (seen: SeenStep) => void) {
    const inner = engine.stage
    this.#engine = engine
    this.#inner = inner
    this.#note = note
    this.keeper = inner.keeper ?? inner
    this.lossOf = inner.lossOf && ((loss, state) => inner.lossOf?.(loss, state) ?? loss)
  }

  next(gradients: readonly ParameterGradient[], state: OptimizerState): NextStep {
    const found = this.#inner.next(gradients, state)
    const { rate } = this.#engine
    // Losses are only ever multiplied by something.
    const scale = this.#inner.lossOf?.(tensor(1), state)
    const learningRate = rate.isSchedule ? rate.at('float32', () => stepsIn(state)) : undefined
    this.#note({ gradients, scale, learningRate })
    return found
  }
}

const stepsIn = (state: OptimizerState): Tensor => state.sharedValue(stepName) ?? tensor(0)

/** The optimizer itself where it is none of `optim`: of that nothing is seen. */
export function watchedOptimizer(optimizer: Minimizer, note: (seen: SeenStep) => void): Minimizer {
  if (!(optimizer instanceof Optimizer)) return optimizer
  const engine = engineOf(optimizer)
  return new Optimizer({ ...engine, stage: new WatchStage(engine, note) })
}
