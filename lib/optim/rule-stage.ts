/** The innermost stage of an optimizer: the rule, parameter by parameter. */
import { checkText, describe } from '../base/arguments.ts'
import type { DType } from '../base/dtype.ts'
import { DTypeError, expected, ShapeError } from '../base/errors.ts'
import { sameShape } from '../base/shape.ts'
import { full, tensor } from '../tensor/creation.ts'
import { Tensor } from '../tensor/tensor.ts'
import type { Variable } from '../tensor/variable.ts'
import type { Groups } from './groups.ts'
import type { LearningRate } from './rate.ts'
import type { NextValues, RuleContext } from './rule.ts'
import type { NextStep, ParameterGradient, Stage, Update } from './stage.ts'
import type { OptimizerState } from './state.ts'

/** What the count of steps is called in the state. */
export const stepName = 'step'

/** A class, since an object with an accessor of its own would have a shape of its own, which is dear. */
class Context implements RuleContext {
  constructor(
    readonly parameter: Tensor,
    readonly gradient: Tensor,
    readonly learningRate: Tensor,
    readonly slot: RuleContext['slot'],
    private readonly count: () => Tensor,
  ) {}

  get step(): Tensor {
    return this.count().cast(this.parameter.dtype)
  }
}

/** The count of steps in one step, and what follows from it, each computed once and where it is read. */
class Counter {
  readonly #owner: object
  readonly #state: OptimizerState
  #counted: Update | null = null
  readonly #rates = new Map<LearningRate, Map<DType, Tensor>>()

  constructor(owner: object, state: OptimizerState) {
    this.#owner = owner
    this.#state = state
  }

  get #update(): Update {
    if (this.#counted === null) {
      const step = this.#state.shared(this.#owner, stepName, () => tensor(0))
      this.#counted = [step, step.add(1)]
    }
    return this.#counted
  }

  /** With this step. */
  get count(): Tensor {
    return this.#update[1]
  }

  rateOf(rate: LearningRate, dtype: DType): Tensor {
    const byDType = this.#rates.get(rate) ?? new Map<DType, Tensor>()
    this.#rates.set(rate, byDType)
    const found = byDType.get(dtype) ?? rate.at(dtype, () => this.#update[0].cast(dtype))
    byDType.set(dtype, found)
    return found
  }

  get updates(): readonly Update[] {
    return this.#counted === null ? [] : [this.#counted]
  }
}

export class RuleStage implements Stage {
  readonly #name: string
  readonly #groups: Groups

  constructor(name: string, groups: Groups) {
    this.#name = name
    this.#groups = groups
  }

  next(gradients: readonly ParameterGradient[], state: OptimizerState): NextStep {
    const counter = new Counter(this, state)
    const updates = gradients.flatMap(([parameter, gradient]) => {
      const { rule, rate, maximize } = this.#groups.of(parameter, state)
      const slot = (kind: string, initial: number | Tensor = 0) => this.#slot(state, parameter, kind, initial)
      const direction = maximize ? gradient.neg() : gradient
      const context = new Context(
        parameter,
        direction,
        counter.rateOf(rate, parameter.dtype),
        slot,
        () => counter.count,
      )
      return this.#checked(state, parameter, rule(context))
    })
    this.#groups.check(gradients, state)
    return { updates: [...counter.updates, ...updates], applies: null }
  }

  #checked(state: OptimizerState, parameter: Variable, next: NextValues): Update[] {
    if (next?.parameter === undefined) {
      const got = typeof next === 'object' && next !== null ? Object.keys(next).join(', ') : describe(next)
      throw new TypeError(expected(this.#name, 'a rule that returns { parameter: a tensor, … }', got))
    }
    return Object.keys(next).map((name): Update => {
      const value: unknown = next[name]
      const target = name === 'parameter' ? parameter : state.find(parameter, name)
      if (target === undefined)
        throw new TypeError(expected(this.#name, 'next values of the parameter and its slots', name))
      if (!(value instanceof Tensor))
        throw new TypeError(expected(this.#name, `a tensor as next ${name}`, describe(value)))
      if (!sameShape(value.shape, target.shape))
        throw new ShapeError(expected(this.#name, `a next ${name} like ${target}`, value))
      if (value.dtype !== target.dtype)
        throw new DTypeError(expected(this.#name, `a next ${name} like ${target}`, value))
      return [target, value]
    })
  }

  #slot(state: OptimizerState, parameter: Variable, kind: string, initial: number | Tensor): Variable {
    checkText(this.#name, 'a name of a slot', kind)
    if (typeof initial !== 'number' && !(initial instanceof Tensor))
      throw new TypeError(expected(this.#name, `a number or a tensor as initial ${kind}`, describe(initial)))
    if (kind === 'parameter') throw new TypeError(expected(this.#name, "a slot of another name than 'parameter'", kind))
    if (kind.includes('.')) throw new TypeError(expected(this.#name, 'a name of a slot without a dot', kind))
    const { shape, dtype } = typeof initial === 'number' ? parameter : initial
    const start = () => (typeof initial === 'number' ? full(shape, initial, { dtype }) : initial)
    const found = state.slot(this, parameter, kind, start)
    if (!sameShape(found.shape, shape) || found.dtype !== dtype)
      throw new ShapeError(expected(this.#name, `a state ${kind} like ${parameter}`, found))
    return found
  }
}
