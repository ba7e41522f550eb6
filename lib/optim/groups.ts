/** Groups of parameters, by patterns of their names, that are updated in other ways than the rest. */
import { types } from 'node:util'
import { checkBoolean, checkFunction, checkList, describe } from '../base/arguments.ts'
import { expected } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import type { Variable } from '../tensor/variable.ts'
import { LearningRate, type RateLike } from './rate.ts'
import type { UpdateRule } from './rule.ts'
import type { ParameterGradient } from './stage.ts'
import type { OptimizerState } from './state.ts'

export interface GroupPattern {
  /**
   * Which parameters: the path of one or of a module, and all that is in it (`encoder.0`), or a regular expression that finds something
   * in the path (`/bias$|norm/`). A parameter belongs to the first group whose pattern it has.
   */
  pattern: string | RegExp
}

/** What parameters of some names have of their own; the rest is the optimizer's. */
export interface RuleGroup extends GroupPattern {
  /** Of its own: a change of the optimizer's does not touch it. */
  learningRate?: RateLike
  rule?: UpdateRule
  maximize?: boolean
}

const groupOptions: OptionTypes<RuleGroup> = {
  pattern: 'other',
  learningRate: 'other',
  rule: 'function',
  maximize: 'boolean',
}

/** How a parameter is updated. */
export interface Way {
  readonly rule: UpdateRule
  readonly rate: LearningRate
  readonly maximize: boolean
}

interface Group extends Way {
  readonly pattern: string | RegExp
}

/** @throws TypeError for what is neither a path nor a regular expression, RangeError for an empty one */
export function checkPattern(op: string, pattern: unknown): string | RegExp {
  if (typeof pattern !== 'string' && !types.isRegExp(pattern))
    throw new TypeError(expected(op, 'a pattern, a path or a regular expression', describe(pattern)))
  if (pattern === '') throw new RangeError(expected(op, 'a pattern of at least one letter', 'none'))
  return pattern
}

const matches = (pattern: string | RegExp, path: string): boolean =>
  typeof pattern === 'string' ? path === pattern || path.startsWith(`${pattern}.`) : path.search(pattern) >= 0

export class Groups {
  readonly #name: string
  readonly #rest: Way
  readonly #groups: readonly Group[]
  /** Those that no parameter was in so far. */
  readonly #empty: Set<Group>
  readonly #ways = new Map<Variable, Way>()

  /** @param name of the optimizer, for messages */
  constructor(name: string, rest: Way, groups: readonly RuleGroup[]) {
    this.#name = name
    this.#rest = rest
    this.#groups = checkList(name, 'groups, a list of options with patterns', groups).map((group, i) => {
      const op = `${name}: groups[${i}]`
      const { pattern, learningRate, rule, maximize } = checkOptions(op, group, groupOptions)
      if (rule !== undefined) checkFunction(op, 'a rule', rule)
      return {
        pattern: checkPattern(op, pattern),
        rule: rule ?? rest.rule,
        rate: learningRate === undefined ? rest.rate : new LearningRate(op, learningRate),
        maximize: maximize === undefined ? rest.maximize : checkBoolean(op, 'maximize', maximize),
      }
    })
    this.#empty = new Set(this.#groups)
  }

  get rates(): readonly LearningRate[] {
    return [...new Set([this.#rest, ...this.#groups].map(({ rate }) => rate))]
  }

  /** @throws TypeError for a parameter without a name where there are groups */
  of(parameter: Variable, state: OptimizerState): Way {
    if (this.#groups.length === 0) return this.#rest
    const known = this.#ways.get(parameter)
    if (known !== undefined) return known
    const path = state.nameOf(parameter)
    if (path === undefined)
      throw new TypeError(
        expected(
          this.#name,
          'a name for each parameter, as there are groups: pass the model, or all of them by name',
          parameter,
        ),
      )
    const group = this.#groups.find(({ pattern }) => matches(pattern, path))
    if (group !== undefined) this.#empty.delete(group)
    const way = group ?? this.#rest
    this.#ways.set(parameter, way)
    return way
  }

  /** @throws RangeError for a group that none of the parameters is in, nor any of those before */
  check(gradients: readonly ParameterGradient[], state: OptimizerState): void {
    for (const { pattern } of this.#empty) {
      const paths = gradients.map(([parameter]) => state.nameOf(parameter)).join(', ')
      throw new RangeError(expected(this.#name, `a group of a pattern that is found in ${paths}`, pattern))
    }
  }
}
