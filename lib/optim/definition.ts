/** How the optimizers of the library are made of their options: a rule for all parameters, and one for each group. */
import { checkList, checkNumber } from '../base/arguments.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { checkPattern, type GroupPattern } from './groups.ts'
import { type Optimizer, optimizer } from './optimizer.ts'
import type { RateLike } from './rate.ts'
import type { UpdateRule } from './rule.ts'

/** What parameters of some names have of their own; an option that is not given is that of the optimizer. */
export type GroupOptions<T> = GroupPattern & Partial<Omit<T, 'groups'>>

export interface CommonOptions<T> {
  /** A number, or a schedule of `schedules`. */
  learningRate?: RateLike
  /** Whether the loss is to become large instead of small; false unless given. */
  maximize?: boolean
  /** Options of their own for the parameters whose names have a pattern: `[{ pattern: /bias$|norm/, weightDecay: 0 }]`. */
  groups?: readonly GroupOptions<T>[]
}

type Own<T> = Required<Omit<T, 'groups' | 'maximize'>>

export interface Definition<T extends CommonOptions<T>> {
  readonly name: string
  readonly types: OptionTypes<Omit<T, keyof CommonOptions<T>>>
  readonly defaults: Own<T>
  /** The rule by these options, once they are checked; `op` is what messages say. */
  rule(op: string, options: Own<T>): UpdateRule
}

const commonTypes = { learningRate: 'other', maximize: 'boolean' } as const

export function optimizerOf<T extends CommonOptions<T>>(
  { name, types, defaults, rule }: Definition<T>,
  options: T | undefined,
  surplus: readonly unknown[],
): Optimizer {
  const own = { ...commonTypes, ...types } as unknown as OptionTypes<CommonOptions<T>>
  const given = checkOptions<CommonOptions<T>>(name, options, { ...own, groups: 'other' } as typeof own, surplus)
  const { groups = [], maximize = false, ...rest } = given
  const all = withDefaults(defaults, rest)
  const groupTypes = { ...own, pattern: 'other' } as unknown as OptionTypes<GroupOptions<T>>
  return optimizer({
    name,
    learningRate: all.learningRate as RateLike,
    maximize,
    rule: rule(name, all),
    groups: checkList(name, 'groups, a list of options with patterns', groups).map((group, i) => {
      const op = `${name}: groups[${i}]`
      const { pattern, ...different } = checkOptions(op, group, groupTypes) as GroupOptions<CommonOptions<T>>
      const { learningRate, maximize } = different
      return {
        pattern: checkPattern(op, pattern),
        rule: rule(op, withDefaults(all, different)),
        ...(learningRate !== undefined && { learningRate }),
        ...(maximize !== undefined && { maximize }),
      }
    }),
  })
}

/** An option that is undefined is not given. */
function withDefaults<D extends object>(defaults: D, given: object): D {
  const said = Object.entries(given).filter(([, value]) => value !== undefined)
  return { ...defaults, ...Object.fromEntries(said) }
}

/** Numbers in [0, 1), by their names. */
export function checkFractions(op: string, fractions: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(fractions))
    checkNumber(op, `a${/^[aeiou]/.test(name) ? 'n' : ''} ${name} in [0, 1)`, value, (x) => x >= 0 && x < 1)
}

/** Finite numbers of at least 0, by their names. */
export function checkNotNegative(op: string, numbers: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(numbers))
    checkNumber(op, `a finite ${name} of at least 0`, value, (x) => Number.isFinite(x) && x >= 0)
}

/** The gradient of the loss with weightDecay/2 · Σp² added to it: decay that is coupled with what the rule makes of gradients. */
export const withDecay = (gradient: Tensor, parameter: Tensor, weightDecay: number): Tensor =>
  weightDecay === 0 ? gradient : gradient.add(parameter.mul(weightDecay))

/** The parameter, shrunk by lr · weightDecay of it: decay that is decoupled (Loshchilov & Hutter, 2019). */
export const decayed = (parameter: Tensor, learningRate: Tensor, weightDecay: number): Tensor =>
  weightDecay === 0 ? parameter : parameter.mul(learningRate.mul(-weightDecay).add(1))

/** The mean that a sum moves to: β · mean + (1 − β) · value. */
export const moved = (mean: Tensor, value: Tensor, beta: number): Tensor => mean.mul(beta).add(value.mul(1 - beta))

/** 1 − βᵗ, without its cancellation. */
export const biasCorrection = (beta: number, step: Tensor): Tensor =>
  beta === 0 ? step.mul(0).add(1) : step.mul(Math.log(beta)).expm1().neg()
