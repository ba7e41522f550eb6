/** Losses that are scaled up before they are differentiated, so that small gradients are not lost in few digits. */
import { checkInteger, checkNumber, describe } from '../base/arguments.ts'
import { expected } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { maximum, where } from '../operations/index.ts'
import { tensor } from '../tensor/creation.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Variable } from '../tensor/variable.ts'
import { engineOf, Optimizer } from './optimizer.ts'
import { both, type NextStep, type ParameterGradient, type Stage, updatesWhere } from './stage.ts'
import type { OptimizerState } from './state.ts'

export interface LossScaleOptions {
  /** 65,536 unless given. */
  initScale?: number
  /** What the scale is multiplied by after `growthInterval` steps; 2 unless given. */
  growthFactor?: number
  /** What it is multiplied by after gradients that are not finite; 0.5 unless given. */
  backoffFactor?: number
  /** 2,000 unless given. */
  growthInterval?: number
}

const lossScaleOptions: OptionTypes<LossScaleOptions> = {
  initScale: 'number',
  growthFactor: 'number',
  backoffFactor: 'number',
  growthInterval: 'number',
}

class LossScaleStage implements Stage {
  readonly #inner: Stage
  readonly #options: Required<LossScaleOptions>

  constructor(inner: Stage, options: Required<LossScaleOptions>) {
    this.#inner = inner
    this.#options = options
  }

  #scale(state: OptimizerState): Variable {
    return state.shared(this, 'lossScale', () => tensor(this.#options.initScale))
  }

  lossOf(loss: Tensor, state: OptimizerState): Tensor {
    const own = this.#inner.lossOf?.(loss, state) ?? loss
    return own.mul(this.#scale(state).cast(own.dtype))
  }

  next(gradients: readonly ParameterGradient[], state: OptimizerState): NextStep {
    const { growthFactor, backoffFactor, growthInterval } = this.#options
    const scale = this.#scale(state)
    const good = state.shared(this, 'finiteSteps', () => tensor(0))
    const pairs = gradients.map(
      ([parameter, gradient]): ParameterGradient => [parameter, gradient.div(scale.cast(gradient.dtype))],
    )
    const areFinite = pairs.map(([, gradient]) => gradient.isFinite().all()).reduce((a, b) => a.logicalAnd(b))
    const { updates, applies } = this.#inner.next(pairs, state)
    const count = good.add(1)
    const grows = count.equal(growthInterval)
    const grown = where(grows, scale.mul(growthFactor), scale)
    return {
      updates: [
        ...updatesWhere(areFinite, updates),
        [scale, where(areFinite, grown, maximum(scale.mul(backoffFactor), 1))],
        [good, where(areFinite.logicalAnd(grows.logicalNot()), count, 0)],
      ],
      applies: both(areFinite, applies),
    }
  }
}

/**
 * An optimizer that differentiates the loss times a scale, divides the gradients by it, and leaves a step out where one of them is not finite: then the
 * scale becomes smaller, and larger after many steps that went well. The scale is part of the state. In float32 it changes next to nothing;
 * it is what computation in fewer digits hooks into. PyTorch's `GradScaler`, Keras's `LossScaleOptimizer`.
 */
export function lossScale(optimizer: Optimizer, options?: LossScaleOptions, ...surplus: []): Optimizer {
  const op = 'lossScale'
  const given = checkOptions(op, options, lossScaleOptions, surplus)
  if (!(optimizer instanceof Optimizer)) throw new TypeError(expected(op, 'an optimizer', describe(optimizer)))
  const { initScale = 65536, growthFactor = 2, backoffFactor = 0.5, growthInterval = 2000 } = given
  checkNumber(op, 'a finite initScale of at least 1', initScale, (x) => Number.isFinite(x) && x >= 1)
  checkNumber(op, 'a finite growthFactor above 1', growthFactor, (x) => Number.isFinite(x) && x > 1)
  checkNumber(op, 'a backoffFactor in (0, 1)', backoffFactor, (x) => x > 0 && x < 1)
  checkInteger(op, 'an integer growthInterval of at least 1', growthInterval, 1, 2 ** 24)
  const engine = engineOf(optimizer)
  const all = { initScale, growthFactor, backoffFactor, growthInterval }
  return new Optimizer({ ...engine, stage: new LossScaleStage(engine.stage, all) })
}
