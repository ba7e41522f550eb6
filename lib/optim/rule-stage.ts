/** The innermost stage of an optimizer: the rule, parameter by parameter. */
import { checkText, describe } from '../base/arguments.ts'
import { DTypeError, expected, ShapeError } from '../base/errors.ts'
import { sameShape } from '../base/shape.ts'
import { full, tensor } from '../tensor/creation.ts'
import { Tensor } from '../tensor/tensor.ts'
import type { Variable } from '../tensor/variable.ts'
import type { LearningRate } from './rate.ts'
import type { NextValues, RuleContext, UpdateRule } from './rule.ts'
import type { ParameterGradient, Stage, Update } from './stage.ts'
import type { OptimizerState } from './state.ts'

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

export class RuleStage implements Stage {
  readonly #name: string
  readonly #rule: UpdateRule
  readonly #rate: LearningRate

  constructor(name: string, rule: UpdateRule, rate: LearningRate) {
    this.#name = name
    this.#rule = rule
    this.#rate = rate
  }

  next(gradients: readonly ParameterGradient[], state: OptimizerState): Update[] {
    const counted: Update[] = []
    const count = (): Tensor => {
      if (counted.length === 0) {
        const step = state.shared(this, 'step', () => tensor(0))
        counted.push([step, step.add(1)])
      }
      return counted[0]![1]
    }
    const updates = gradients.flatMap(([parameter, gradient]) => {
      const slot = (kind: string, initial: number | Tensor = 0) => this.#slot(state, parameter, kind, initial)
      const rate = this.#rate.of(parameter.dtype)
      return this.#checked(state, parameter, this.#rule(new Context(parameter, gradient, rate, slot, count)))
    })
    return [...counted, ...updates]
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
