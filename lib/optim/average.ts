/** Means of parameters over steps, which take the place of the parameters where a model is used. */
import { checkBoolean, checkFunction, checkInteger, checkNumber, describe, refuseSurplus } from '../base/arguments.ts'
import { expected } from '../base/errors.ts'
import { brand } from '../base/identity.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { minimum, where } from '../operations/index.ts'
import { tensor } from '../tensor/creation.ts'
import type { StateDict } from '../tensor/state-dict.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { isCompiling } from '../tensor/trace.ts'
import type { Variable } from '../tensor/variable.ts'
import { engineOf, Optimizer } from './optimizer.ts'
import type { Engine, NextStep, ParameterGradient, Stage, Update } from './stage.ts'
import { updatesWhere } from './stage.ts'
import type { OptimizerState } from './state.ts'

/** Of a step, counted from 0: how much of the parameters goes into the mean, as a scalar like the step. */
type Weight = (step: Tensor) => Tensor

const slotName = 'average'

class AveragingStage implements Stage {
  readonly #inner: Stage
  readonly #weight: Weight
  readonly #parameters = new Set<Variable>()
  isSwapped = false
  readonly lossOf: Stage['lossOf']

  constructor(inner: Stage, weight: Weight) {
    this.#inner = inner
    this.#weight = weight
    this.lossOf = inner.lossOf && ((loss, state) => inner.lossOf?.(loss, state) ?? loss)
  }

  next(gradients: readonly ParameterGradient[], state: OptimizerState): NextStep {
    if (this.isSwapped)
      throw new Error(expected('minimize', 'the parameters themselves', 'their means: swap() back first'))
    const { updates, applies } = this.#inner.next(gradients, state)
    const steps = state.shared(this, 'averagedSteps', () => tensor(0))
    const nextValues = new Map(updates)
    const means = gradients.map(([parameter]): Update => {
      this.#parameters.add(parameter)
      const mean = state.slot(this, parameter, slotName, () => parameter)
      const weight = this.#weight(steps.cast(parameter.dtype))
      const next = nextValues.get(parameter) ?? parameter
      return [mean, mean.mul(weight.neg().add(1)).add(next.mul(weight))]
    })
    const own: Update[] = [...means, [steps, steps.add(1)]]
    return { updates: [...updates, ...(applies === null ? own : updatesWhere(applies, own))], applies }
  }

  pairs(state: OptimizerState): [parameter: Variable, mean: Variable][] {
    return [...this.#parameters].flatMap((parameter): [Variable, Variable][] => {
      const mean = state.find(parameter, slotName)
      return mean === undefined ? [] : [[parameter, mean]]
    })
  }
}

/** An optimizer that keeps the means of its parameters, made by `ema` or `swa`. */
export class AveragingOptimizer extends Optimizer {
  readonly #stage: AveragingStage
  readonly #state: OptimizerState

  /** @internal */
  constructor(engine: Engine, stage: AveragingStage) {
    if (!(stage instanceof AveragingStage))
      throw new TypeError(expected('AveragingOptimizer', 'optim.ema(optimizer)', 'a call of its constructor'))
    super({ ...engine, stage })
    this.#stage = stage
    this.#state = engine.state
  }

  /** Whether the parameters hold their means. */
  get swapped(): boolean {
    return this.#stage.isSwapped
  }

  /**
   * Has parameters and means change places: the model computes with the means then, and is saved with them, until it is called again. Meanwhile
   * there are no steps, and no `stateDict`.
   * @throws Error where no step has been taken yet; TypeError inside compile
   */
  swap(...surplus: []): void {
    refuseSurplus('swap', 0, surplus)
    if (isCompiling()) throw new TypeError(expected('swap', 'a call outside compile', 'one inside'))
    const pairs = this.#stage.pairs(this.#state)
    if (pairs.length === 0)
      throw new Error(expected('swap', 'parameters of steps before', 'none: take one, or loadStateDict(state, model)'))
    const values = pairs.map(([parameter, mean]) => [parameter.value, mean.value] as const)
    pairs.forEach(([parameter, mean], i) => {
      const [own, average] = values[i]!
      parameter.assign(average)
      mean.assign(own)
    })
    this.#stage.isSwapped = !this.#stage.isSwapped
  }

  /**
   * Calls a function, which may be async, while the parameters hold their means.
   * @returns what it returns, once that has settled
   *
   * @example
   * const scores = await optimizer.withAverages(() => evaluate(model))
   */
  async withAverages<T>(fn: () => T, ...surplus: []): Promise<Awaited<T>> {
    refuseSurplus('withAverages', 1, surplus)
    checkFunction('withAverages', 'a function', fn)
    if (this.swapped) return await fn()
    this.swap()
    try {
      return await fn()
    } finally {
      this.swap()
    }
  }

  override stateDict(...args: Parameters<Optimizer['stateDict']>): StateDict {
    this.#refuseSwapped('stateDict')
    return super.stateDict(...args)
  }

  override loadStateDict(...args: Parameters<Optimizer['loadStateDict']>): void {
    this.#refuseSwapped('loadStateDict')
    super.loadStateDict(...args)
  }

  #refuseSwapped(op: string): void {
    if (this.swapped) throw new Error(expected(op, 'the parameters themselves', 'their means: swap() back first'))
  }
}

brand(AveragingOptimizer.prototype, 'optimizer')

function averaging(op: string, optimizer: Optimizer, weight: Weight): AveragingOptimizer {
  if (!(optimizer instanceof Optimizer)) throw new TypeError(expected(op, 'an optimizer', describe(optimizer)))
  const engine = engineOf(optimizer)
  return new AveragingOptimizer(engine, new AveragingStage(engine.stage, weight))
}

export interface EmaOptions {
  /** How much of the mean stays each step; 0.999 unless given. */
  decay?: number
  /** Whether less of it stays at first, (1 + t)/(10 + t), so that the mean leaves the first values sooner; false unless given. */
  warmup?: boolean
}

const emaOptions: OptionTypes<EmaOptions> = { decay: 'number', warmup: 'boolean' }

/**
 * An optimizer that keeps a mean of its parameters that fades: a ← decay·a + (1 − decay)·p after each step, and p after the first. The means are part of
 * the state. Polyak & Juditsky, "Acceleration of stochastic approximation by averaging" (1992). PyTorch's `swa_utils.get_ema_avg_fn`, Keras's
 * `use_ema`. What is no parameter, such as running statistics, is not averaged.
 *
 * @example
 * const optimizer = ema(adam(), { decay: 0.99 })
 * await fit(model, data, { loss, optimizer })
 * optimizer.swap() // the model has the means now
 */
export function ema(optimizer: Optimizer, options?: EmaOptions, ...surplus: []): AveragingOptimizer {
  const { decay = 0.999, warmup = false } = checkOptions('ema', options, emaOptions, surplus)
  checkNumber('ema', 'a decay in [0, 1)', decay, (x) => x >= 0 && x < 1)
  checkBoolean('ema', 'warmup', warmup)
  return averaging('ema', optimizer, (step) => {
    const stays = warmup ? minimum(step.add(1).div(step.add(10)), decay) : step.mul(0).add(decay)
    return where(step.equal(0), 1, stays.neg().add(1))
  })
}

export interface SwaOptions {
  /** The step, counted from 0, whose result is the first in the mean; 0 unless given. */
  start?: number
  /** The results of every how many steps are in it; 1 unless given. */
  every?: number
}

const swaOptions: OptionTypes<SwaOptions> = { start: 'number', every: 'number' }

/**
 * An optimizer that keeps the plain mean of its parameters after the steps `start`, `start + every`, …; before them it is the parameters
 * themselves. Izmailov et al., "Averaging weights leads to wider optima and better generalization" (2018). PyTorch's `swa_utils.AveragedModel`, of
 * which `update_bn` is a pass over the data in training mode.
 */
export function swa(optimizer: Optimizer, options?: SwaOptions, ...surplus: []): AveragingOptimizer {
  const { start = 0, every = 1 } = checkOptions('swa', options, swaOptions, surplus)
  checkInteger('swa', 'an integer start of at least 0', start, 0, 2 ** 24)
  checkInteger('swa', 'an integer every of at least 1', every, 1, 2 ** 24)
  return averaging('swa', optimizer, (step) => {
    const round = step.sub(start).div(every)
    const weight = where(round.floor().equal(round), round.add(1).reciprocal(), 0)
    return where(step.less(start), 1, weight)
  })
}
