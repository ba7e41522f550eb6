/** The optimizer that carries out a rule: one program of loss, gradients and updates, and the state between steps. */

import { type CallOptions, callOptions, liveSignal, unlessAborted } from '../base/abort.ts'
import { checkFunction, checkList, checkNumber, checkText, checkValues, describe } from '../base/arguments.ts'
import { notCloned } from '../base/cloning.ts'
import type { DType } from '../base/dtype.ts'
import { DTypeError, expected, GradientError, ShapeError } from '../base/errors.ts'
import { brand } from '../base/identity.ts'
import { checkOptions, checkRecord, type OptionTypes, requireOptions } from '../base/options.ts'
import { formatShape, sameShape } from '../base/shape.ts'
import { full, tensor } from '../tensor/creation.ts'
import { loadStateDict, type StateDict, stateDict } from '../tensor/state-dict.ts'
import { evaluate, evaluateSync, Tensor, type TensorLike } from '../tensor/tensor.ts'
import { isCompiling } from '../tensor/trace.ts'
import { Variable, variable } from '../tensor/variable.ts'
import { gradients, variablesOf } from '../transforms/gradients.ts'
import { otherVariables } from './reach.ts'
import type { NextValues, RuleContext, UpdateRule } from './rule.ts'

export interface OptimizerOptions {
  /** What messages call it. */
  name: string
  /** Finite and at least 0. */
  learningRate: number
  /** From a parameter, its gradient and its state to their next values. */
  rule: UpdateRule
}

const optimizerOptions: OptionTypes<OptimizerOptions> = { name: 'string', learningRate: 'number', rule: 'function' }

export interface MinimizeOptions {
  /** Whether the loss may depend on trainable variables beside the given ones, which stay as they are; false unless given. */
  allowOthers?: boolean
}

const minimizeOptions: OptionTypes<MinimizeOptions> = { allowOthers: 'boolean' }

export interface MinimizeAsyncOptions extends MinimizeOptions, CallOptions {}

const minimizeAsyncOptions: OptionTypes<MinimizeAsyncOptions> = { ...minimizeOptions, ...callOptions }

type ParameterGradient = readonly [parameter: Variable, gradient: Tensor]

/** A variable and the value it takes next. */
type Update = readonly [variable: Variable, value: Tensor]

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

/**
 * Makes a loss small, a step at a time. One step computes the loss, its gradients and all updates in one program;
 * inside `compile` it becomes part of the compiled function, and the parameters are updated in place.
 */
export class Optimizer {
  protected readonly notCloned = notCloned('an optimizer: send what its stateDict() holds')
  readonly #name: string
  readonly #rule: UpdateRule
  /** By the names of `stateDict`. */
  readonly #state: Record<string, Variable> = {}
  /** The parameters in the order in which they were first met: their numbers name their slots. */
  readonly #numbers = new Map<Variable, number>()
  #learningRate: number
  /** The learning rate for the parameters of each dtype. */
  readonly #rates = new Map<DType, Variable>()
  #turn: Promise<unknown> = Promise.resolve()

  /** @internal */
  constructor(options: OptimizerOptions) {
    const required = ['name', 'learningRate', 'rule'] as const
    const { name, learningRate, rule } = requireOptions('optimizer', options, optimizerOptions, required)
    this.#name = name
    this.#rule = rule
    this.#learningRate = checkRate(name, learningRate)
  }

  /** What the gradient is scaled by. A change holds from the next step on, in compiled functions too. */
  get learningRate(): number {
    return this.#learningRate
  }

  set learningRate(value: number) {
    this.#learningRate = checkRate(this.#name, value)
    for (const rate of this.#rates.values()) rate.assign(value)
  }

  /**
   * One step: computes the loss and updates the variables it depends on.
   *
   * @param loss gives a scalar; it is called once
   * @param variables what to update; unless given, every trainable variable the loss depends on. Given, it has to be all of them, so
   * that none is forgotten: what is not to be trained is frozen (`module.freeze`), made with `trainable: false`, or allowed by
   * `allowOthers`.
   * @returns the loss before the update, evaluated
   * @throws ShapeError for a loss that is no scalar; GradientError where it does not depend on a variable, or on one that is not given
   *
   * @example
   * const w = variable(1)
   * sgd({ learningRate: 0.1 }).minimize(() => w.square()) // w is 0.8 then
   */
  minimize(loss: () => Tensor, variables?: readonly Variable[], options?: MinimizeOptions): Tensor {
    const { value, updates } = this.#step('minimize', loss, variables, options)
    if (!isCompiling()) evaluateSync(value, ...updates.map(([, next]) => next))
    assignAll(updates)
    return value
  }

  /**
   * `minimize` off the event loop. Calls take turns, so that each sees the variables as the one before left them.
   * @throws (rejects with) the reason of `signal` once it is aborted: then no variable is updated
   */
  async minimizeAsync(
    loss: () => Tensor,
    variables?: readonly Variable[],
    options?: MinimizeAsyncOptions,
  ): Promise<Tensor> {
    if (isCompiling()) throw new TypeError(expected('minimizeAsync', 'minimize inside compile', 'minimizeAsync'))
    const { signal: given, ...rest } = checkOptions('minimizeAsync', options, minimizeAsyncOptions)
    const signal = liveSignal('minimizeAsync', { signal: given })
    const turn = this.#turn.then(async () => {
      signal?.throwIfAborted()
      const { value, updates } = this.#step('minimizeAsync', loss, variables, rest)
      const values = [value, ...updates.map(([, next]) => next)]
      await (signal === undefined ? evaluate(...values) : evaluate(...values, { signal }))
      assignAll(updates)
      return value
    })
    this.#turn = turn.catch(() => {})
    return unlessAborted(signal, turn)
  }

  /**
   * One step along gradients that were computed elsewhere: clipped, or accumulated over several batches. Several gradients
   * of one variable are added.
   *
   * @throws ShapeError where a gradient has not the shape of its variable
   */
  applyGradients(pairs: readonly (readonly [Variable, TensorLike])[]): void {
    const updates = this.#updates(summed(checkList('applyGradients', pairsOf, pairs).map(checkedPair)))
    if (!isCompiling()) evaluateSync(...updates.map(([, next]) => next))
    assignAll(updates)
  }

  /** The optimizer's own variables by name: `0.velocity` is that of the first parameter. */
  stateDict(): StateDict {
    return stateDict(this.#state)
  }

  /**
   * Takes over the state of an optimizer that has updated the same parameters in the same order.
   *
   * @throws TypeError for a missing or an unknown name, ShapeError, DTypeError for values that do not fit
   */
  loadStateDict(state: Readonly<Record<string, Tensor>>): void {
    for (const [name, value] of Object.entries(checkRecord('loadStateDict', 'values by name', state)))
      if (!(value instanceof Tensor))
        throw new TypeError(expected('loadStateDict', `a tensor as ${name}`, describe(value)))
    if (Object.keys(this.#state).length > 0) loadStateDict(this.#state, state)
    else for (const [name, value] of Object.entries(state)) this.#variable(name, () => value)
  }

  #step(
    op: string,
    computeLoss: () => Tensor,
    variables?: readonly Variable[],
    options?: MinimizeOptions,
  ): { value: Tensor; updates: Update[] } {
    const { allowOthers = false } = checkOptions(op, options, minimizeOptions)
    checkFunction(op, 'a function that gives the loss', computeLoss)
    const own = variables === undefined ? undefined : checkVariables(op, variables)
    const loss: unknown = computeLoss()
    if (!(loss instanceof Tensor)) throw new TypeError(expected(op, 'a function that returns a tensor', describe(loss)))
    if (loss.size !== 1) throw new ShapeError(expected(op, 'a scalar loss', formatShape(loss.shape)))
    // What is returned must not keep the graph of the step alive.
    return { value: loss.stopGradient(), updates: this.#updates(gradientsOf(loss, own, allowOthers)) }
  }

  #updates(pairs: readonly ParameterGradient[]): Update[] {
    const counted: Update[] = []
    const count = (): Tensor => {
      if (counted.length === 0) {
        const step = this.#variable('step', () => tensor(0))
        counted.push([step, step.add(1)])
      }
      return counted[0]![1]
    }
    const updates = pairs.flatMap(([parameter, gradient]) => {
      const slot = (name: string, initial: number | Tensor = 0) => this.#slot(parameter, name, initial)
      const rate = this.#rateFor(parameter.dtype)
      return this.#checkedUpdates(parameter, this.#rule(new Context(parameter, gradient, rate, slot, count)))
    })
    return [...counted, ...updates]
  }

  #checkedUpdates(parameter: Variable, next: NextValues): Update[] {
    if (next?.parameter === undefined) {
      const got = typeof next === 'object' && next !== null ? Object.keys(next).join(', ') : describe(next)
      throw new TypeError(expected(this.#name, 'a rule that returns { parameter: a tensor, … }', got))
    }
    return Object.keys(next).map((name): Update => {
      const value: unknown = next[name]
      const target = name === 'parameter' ? parameter : this.#state[this.#slotName(parameter, name)]
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

  #rateFor(dtype: DType): Variable {
    const known = this.#rates.get(dtype) ?? variable(this.#learningRate, { dtype, trainable: false })
    this.#rates.set(dtype, known)
    return known
  }

  #slotName(parameter: Variable, kind: string): string {
    const number = this.#numbers.get(parameter) ?? this.#numbers.size
    this.#numbers.set(parameter, number)
    return `${number}.${kind}`
  }

  #slot(parameter: Variable, kind: string, initial: number | Tensor): Variable {
    checkText(this.#name, 'a name of a slot', kind)
    if (typeof initial !== 'number' && !(initial instanceof Tensor))
      throw new TypeError(expected(this.#name, `a number or a tensor as initial ${kind}`, describe(initial)))
    if (kind === 'parameter') throw new TypeError(expected(this.#name, "a slot of another name than 'parameter'", kind))
    const { shape, dtype } = typeof initial === 'number' ? parameter : initial
    const start = () => (typeof initial === 'number' ? full(shape, initial, { dtype }) : initial)
    const name = this.#slotName(parameter, kind)
    const found = this.#variable(name, start)
    if (!sameShape(found.shape, shape) || found.dtype !== dtype)
      throw new ShapeError(expected(this.#name, `a state ${name} like ${parameter}`, found))
    return found
  }

  #variable(name: string, start: () => Tensor): Variable {
    this.#state[name] ??= variable(start(), { name, trainable: false })
    return this.#state[name]
  }
}

brand(Optimizer.prototype, 'optimizer')

/**
 * An optimizer of your own: the rule says, on tensors, what becomes of a parameter and its state at one step. It runs
 * wherever those of the library do: `minimize`, `compile`, `scan`, `fit`, in one program with the loss and its gradients.
 *
 * @throws TypeError, RangeError for options; and, at its first step, TypeError, ShapeError, DTypeError for what the rule gives
 *
 * @example
 * // p ← p − lr·g/√(Σg²)
 * const adagrad = optimizer({
 *   name: 'adagrad',
 *   learningRate: 0.01,
 *   rule({ parameter, gradient, learningRate, slot }) {
 *     const sum = slot('sum', 0.1).add(gradient.square())
 *     return { parameter: parameter.sub(gradient.mul(learningRate).div(sum.sqrt())), sum }
 *   },
 * })
 */
export const optimizer = (options: OptimizerOptions): Optimizer => new Optimizer(options)

function checkVariables(op: string, variables: readonly Variable[]): readonly Variable[] {
  for (const x of checkList(op, 'a list of variables', variables))
    if (!(x instanceof Variable)) throw new TypeError(expected(op, 'a list of variables', `${describe(x)} in it`))
  return variables
}

const checkRate = (name: string, value: number): number =>
  checkNumber(name, 'a finite learningRate of at least 0', value, (x) => Number.isFinite(x) && x >= 0)

const pairsOf = 'a list of pairs [variable, gradient]'

function checkedPair(pair: readonly [Variable, TensorLike]): ParameterGradient {
  const [parameter, gradient] = checkList<Variable | TensorLike>('applyGradients', pairsOf, pair) as typeof pair
  if (pair.length !== 2) throw new TypeError(expected('applyGradients', pairsOf, `a list of ${pair.length}`))
  if (!(parameter instanceof Variable))
    throw new TypeError(expected('applyGradients', 'a variable', describe(parameter)))
  const given = gradient instanceof Tensor ? gradient : checkValues('applyGradients', gradient)
  const value = tensor(given, { dtype: parameter.dtype })
  if (!sameShape(value.shape, parameter.shape))
    throw new ShapeError(
      expected('applyGradients', `a gradient of shape ${formatShape(parameter.shape)}`, formatShape(value.shape)),
    )
  return [parameter, value.cast(parameter.dtype)]
}

/** Each parameter once, with the sum of its gradients, in the order in which they first stand. */
function summed(pairs: readonly ParameterGradient[]): ParameterGradient[] {
  const sums = new Map<Variable, Tensor>()
  for (const [parameter, gradient] of pairs) sums.set(parameter, sums.get(parameter)?.add(gradient) ?? gradient)
  return [...sums]
}

/** With variables given, the loss has to depend on each of them; otherwise on any. */
function gradientsOf(loss: Tensor, given: readonly Variable[] | undefined, allowOthers: boolean): ParameterGradient[] {
  const known = [...new Set(given ?? variablesOf(loss))]
  if (given !== undefined && !allowOthers) checkOthers(otherVariables(loss, known))
  const variables = known.filter(({ frozen }) => !frozen)
  const found = gradients(loss, variables, undefined, { allowUnused: true })
  const pairs = variables.flatMap((variable, i): ParameterGradient[] => {
    const gradient = found[i]
    if (gradient) return [[variable, gradient]]
    if (given === undefined) return []
    throw new GradientError(`minimize: the loss does not depend on ${variable} by a differentiable path`)
  })
  if (pairs.length > 0) return pairs
  throw new GradientError('minimize: the loss depends on no trainable variable by a differentiable path')
}

function checkOthers([other]: readonly Variable[]): void {
  if (other === undefined) return
  throw new GradientError(
    `minimize: the loss depends on ${other} too, which is not among the variables to update; freeze it, or say { allowOthers: true }`,
  )
}

function assignAll(updates: readonly Update[]): void {
  for (const [variable, value] of updates) variable.assign(value)
}
