/** The optimizer that carries out a rule: one program of loss, gradients and updates, and the state between steps. */

import { callOptions, liveSignal, unlessAborted } from '../base/abort.ts'
import { checkFunction, checkList, checkValues, describe, refuseSurplus } from '../base/arguments.ts'
import { notCloned } from '../base/cloning.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { brand } from '../base/identity.ts'
import { showAsText } from '../base/inspection.ts'
import { checkOptions, checkRecord, type OptionTypes, requireOptions } from '../base/options.ts'
import { formatShape, sameShape } from '../base/shape.ts'
import { tensor, zerosLike } from '../tensor/creation.ts'
import type { StateDict } from '../tensor/state-dict.ts'
import { evaluate, evaluateSync, Tensor, type TensorLike } from '../tensor/tensor.ts'
import { isCompiling } from '../tensor/trace.ts'
import { Variable } from '../tensor/variable.ts'
import { Groups, type RuleGroup } from './groups.ts'
import type { MinimizeAsyncOptions, MinimizeOptions, Minimizer } from './minimizer.ts'
import { type NamedVariables, namedVariables, type TrainedParameters } from './parameters.ts'
import { LearningRate, type RateLike } from './rate.ts'
import { gradientsOf } from './reach.ts'
import type { UpdateRule } from './rule.ts'
import { RuleStage, stepName } from './rule-stage.ts'
import type { KeptBySchedule } from './schedules/schedule.ts'
import type { Engine, ParameterGradient, Update } from './stage.ts'
import { checkedState, OptimizerState } from './state.ts'

export interface OptimizerOptions {
  /** What messages call it. */
  name: string
  /** A number, finite and at least 0, or a schedule. */
  learningRate: RateLike
  /** From a parameter, its gradient and its state to their next values. */
  rule: UpdateRule
  /** What parameters of some names have of their own. */
  groups?: readonly RuleGroup[]
  /** Whether the loss is to become large instead of small; false unless given. */
  maximize?: boolean
}

const optimizerOptions: OptionTypes<OptimizerOptions> = {
  name: 'string',
  learningRate: 'other',
  rule: 'function',
  groups: 'other',
  maximize: 'boolean',
}

const minimizeOptions: OptionTypes<MinimizeOptions> = { allowOthers: 'boolean' }

const minimizeAsyncOptions: OptionTypes<MinimizeAsyncOptions> = { ...minimizeOptions, ...callOptions }

/** What is in an optimizer, for the others of this folder that are made around it. */
export let engineOf: (optimizer: Optimizer) => Engine

/**
 * Makes a loss small, a step at a time. One step computes the loss, its gradients and all updates in one program;
 * inside `compile` it becomes part of the compiled function, and the parameters are updated in place.
 */
export class Optimizer implements Minimizer {
  protected readonly notCloned = notCloned('an optimizer: send what its stateDict() holds')
  readonly #engine: Engine

  static {
    engineOf = (optimizer) => {
      if (optimizer instanceof Optimizer) return optimizer.#engine
      throw new TypeError(expected('optimizer', 'one of optim', describe(optimizer)))
    }
  }

  /** @internal */
  constructor(of: OptimizerOptions | Engine) {
    this.#engine = isEngine(of) ? of : engineFor(of)
  }

  toString(): string {
    return `Optimizer ${this.name}`
  }

  /** What messages call it: `adam`. */
  get name(): string {
    return this.#engine.name
  }

  /**
   * What the gradient is scaled by. A change holds from the next step on, in compiled functions too, for the parameters that are in no group
   * with a rate of its own. Of a schedule it is the rate that the next step takes, for which this waits for the steps under way;
   * it cannot be set then.
   */
  get learningRate(): number {
    const { rate, state } = this.#engine
    return rate.get(() => state.sharedValue(stepName)?.itemSync() ?? 0)
  }

  set learningRate(value: number) {
    this.#engine.rate.set(value)
  }

  /**
   * One step: computes the loss and updates the variables it depends on.
   *
   * @param loss gives a scalar; it is called once
   * @param variables what to update, as a list, by name, or a module; unless given, every trainable variable the loss depends on. Given, it has to be all of them, so
   * that none is forgotten: what is not to be trained is frozen (`module.freeze`), made with `trainable: false`, or allowed by
   * `allowOthers`.
   * @returns the loss before the update, evaluated
   * @throws ShapeError for a loss that is no scalar; GradientError where it does not depend on a variable, or on one that is not given
   *
   * @example
   * const w = variable(1)
   * sgd({ learningRate: 0.1 }).minimize(() => w.square()) // w is 0.8 then
   */
  minimize(loss: () => Tensor, variables?: TrainedParameters, options?: MinimizeOptions): Tensor {
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
    variables?: TrainedParameters,
    options?: MinimizeAsyncOptions,
  ): Promise<Tensor> {
    if (isCompiling()) throw new TypeError(expected('minimizeAsync', 'minimize inside compile', 'minimizeAsync'))
    const { signal: given, ...rest } = checkOptions('minimizeAsync', options, minimizeAsyncOptions)
    const signal = liveSignal('minimizeAsync', { signal: given })
    const { turn: turns } = this.#engine
    const turn = turns.last.then(async () => {
      signal?.throwIfAborted()
      const { value, updates } = this.#step('minimizeAsync', loss, variables, rest)
      const values = [value, ...updates.map(([, next]) => next)]
      await (signal === undefined ? evaluate(...values) : evaluate(...values, { signal }))
      assignAll(updates)
      return value
    })
    turns.last = turn.catch(() => {})
    return unlessAborted(signal, turn)
  }

  /**
   * One step along gradients that were computed elsewhere: clipped, or accumulated over several batches. Several gradients
   * of one variable are added.
   *
   * @param gradients pairs of variable and gradient; or with `parameters` a gradient for each of them, in their order or by their names
   * @throws ShapeError where a gradient has not the shape of its variable
   *
   * @example
   * adam.applyGradients(gradients(loss, model.parameters()), model)
   */
  applyGradients(pairs: readonly (readonly [Variable, TensorLike])[]): void
  applyGradients(
    gradients: readonly TensorLike[] | Readonly<Record<string, TensorLike>>,
    parameters: TrainedParameters,
  ): void
  applyGradients(
    given: readonly unknown[] | Readonly<Record<string, TensorLike>>,
    parameters?: TrainedParameters,
    ...surplus: []
  ): void {
    refuseSurplus('applyGradients', 2, surplus)
    const pairs = parameters === undefined ? given : this.#pairsOf(given as readonly TensorLike[], parameters)
    const updates = this.#updates(
      summed(checkList('applyGradients', whatPairs, pairs as readonly ParameterGradient[]).map(checkedPair)),
    )
    if (!isCompiling()) evaluateSync(...updates.map(([, next]) => next))
    assignAll(updates)
  }

  /**
   * All that the next steps depend on, by name: the optimizer's own variables under the names of the parameters they belong to
   * (`0.weight.firstMoment`), the count of steps (`step`), and `learningRate`. The tensors stay what they are when training goes
   * on. Right after a step was submitted, awaited or not, they are the state after that step.
   *
   * @param parameters a module, or parameters by name. Unless given, the names are those of the records and modules that steps were
   * given, or the variables' own.
   * @throws TypeError for a parameter without a name, or two of the same
   */
  stateDict(parameters?: TrainedParameters, ...surplus: []): StateDict {
    refuseSurplus('stateDict', 1, surplus)
    const { state } = this.#engine
    if (parameters !== undefined) state.learn(namedVariables('stateDict', parameters))
    return { ...state.save(), ...savedRates(this.#engine) }
  }

  /**
   * Takes over what `stateDict` of such an optimizer gave: the next steps have the same bits as those of the other one. An optimizer
   * that has not met its parameters takes it over at its first step, unless they are given.
   *
   * @param parameters a module, or parameters by name: those of the state
   * @throws TypeError for a missing or an unknown name, with all of them listed; ShapeError, DTypeError for values that do not fit.
   * Nothing is changed then. Where the parameters are not known yet, the first step throws it.
   */
  loadStateDict(state: Readonly<Record<string, Tensor>>, parameters?: TrainedParameters, ...surplus: []): void {
    refuseSurplus('loadStateDict', 2, surplus)
    if (isCompiling()) throw new TypeError(expected('loadStateDict', 'a call outside compile', 'one inside'))
    const engine = this.#engine
    const known = parameters === undefined ? undefined : namedVariables('loadStateDict', parameters)
    const values = checkedState(state)
    const before = new Map(Object.entries(savedRates(engine)))
    try {
      takeRates(engine, values)
      engine.state.attempt(() => {
        const areKnown = known !== undefined && values.size > 0
        if (areKnown) this.#meet(known)
        engine.state.load(values, areKnown)
      })
    } catch (error) {
      takeRates(engine, before)
      throw error
    }
  }

  /** Has the stages say, without a step, what they keep for parameters. */
  #meet(parameters: NamedVariables): void {
    const { stage, state } = this.#engine
    state.learn(parameters)
    const gradients = parameters.variables.map((parameter): ParameterGradient => [parameter, zerosLike(parameter)])
    stage.next(gradients, state)
  }

  #pairsOf(
    gradients: readonly TensorLike[] | Readonly<Record<string, TensorLike>>,
    parameters: TrainedParameters,
  ): unknown[] {
    if (!Array.isArray(gradients)) checkRecord('applyGradients', 'gradients in a list or by name', gradients)
    const named = namedVariables('applyGradients', parameters)
    this.#engine.state.learn(named)
    const { variables, names } = named
    const list = Array.isArray(gradients)
      ? [...gradients]
      : variables.map((variable) =>
          gradientNamed(gradients as Readonly<Record<string, TensorLike>>, names.get(variable)),
        )
    const count = Array.isArray(gradients) ? list.length : Object.keys(gradients).length
    if (count !== variables.length)
      throw new RangeError(expected('applyGradients', `a gradient for each of ${variables.length} parameters`, count))
    return variables.map((variable, i) => [variable, list[i]])
  }

  #step(
    op: string,
    computeLoss: () => Tensor,
    variables?: TrainedParameters,
    options?: MinimizeOptions,
  ): { value: Tensor; updates: readonly Update[] } {
    const { allowOthers = false } = checkOptions(op, options, minimizeOptions)
    checkFunction(op, 'a function that gives the loss', computeLoss)
    const own = variables === undefined ? undefined : namedVariables(op, variables)
    const { stage, state } = this.#engine
    if (own !== undefined) state.learn(own)
    const loss: unknown = computeLoss()
    if (!(loss instanceof Tensor)) throw new TypeError(expected(op, 'a function that returns a tensor', describe(loss)))
    if (loss.size !== 1) throw new ShapeError(expected(op, 'a scalar loss', formatShape(loss.shape)))
    // What is returned must not keep the graph of the step alive.
    const value = loss.stopGradient()
    const target = stage.lossOf?.(loss, state) ?? loss
    return { value, updates: this.#updates(gradientsOf(target, own?.variables, allowOthers)) }
  }

  #updates(gradients: readonly ParameterGradient[]): readonly Update[] {
    const { stage, state } = this.#engine
    const { updates } = stage.next(gradients, state)
    state.settle()
    return updates
  }
}

const isEngine = (of: OptimizerOptions | Engine): of is Engine =>
  typeof of === 'object' && of !== null && (of as Partial<Engine>).state instanceof OptimizerState

function engineFor(options: OptimizerOptions): Engine {
  const required = ['name', 'learningRate', 'rule'] as const
  const given = requireOptions('optimizer', options, optimizerOptions, required)
  const { name, learningRate, rule, groups = [], maximize = false } = given
  const rate = new LearningRate(name, learningRate)
  const all = new Groups(name, { rule, rate, maximize }, groups)
  const state = new OptimizerState()
  return { name, state, stage: new RuleStage(name, all), rate, rates: all.rates, turn: { last: Promise.resolve() } }
}

/** What schedules keep, each once, by the names it has in a state. */
function keptOf({ rates }: Engine): [name: string, kept: KeptBySchedule][] {
  const kept = [...new Set(rates.flatMap(({ kept }) => kept))]
  return kept.map((each, i) => [i === 0 ? 'schedule' : `schedule${i}`, each])
}

function savedRates(engine: Engine): StateDict {
  const rate = engine.rate.save()
  const kept = keptOf(engine).map(([name, each]) => [name, each.save()] as const)
  return { ...(rate && { learningRate: rate }), ...Object.fromEntries(kept) }
}

/** Takes over what is about rates, and takes it out of the state. */
function takeRates(engine: Engine, values: Map<string, Tensor>): void {
  const take = (name: string): Tensor | undefined => {
    const value = values.get(name)
    values.delete(name)
    return value
  }
  const isNumber = engine.rate.save() !== undefined
  const rate = isNumber ? take('learningRate') : undefined
  if (rate !== undefined) engine.rate.load(rate)
  for (const [name, kept] of keptOf(engine)) {
    const value = take(name)
    if (value === undefined) throw new TypeError(expected('loadStateDict', `a state of a schedule as ${name}`, 'none'))
    kept.load(value)
  }
}

brand(Optimizer.prototype, 'optimizer')
showAsText(Optimizer.prototype)

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

const whatPairs = 'a list of pairs [variable, gradient]'

function gradientNamed(gradients: Readonly<Record<string, TensorLike>>, name: string | undefined): TensorLike {
  if (name === undefined) throw new TypeError(expected('applyGradients', 'parameters by name, or a module', 'a list'))
  if (!Object.hasOwn(gradients, name)) throw new TypeError(expected('applyGradients', `a gradient of ${name}`, 'none'))
  return gradients[name] as TensorLike
}

function checkedPair(pair: readonly [Variable, TensorLike]): ParameterGradient {
  const [parameter, gradient] = checkList<Variable | TensorLike>('applyGradients', whatPairs, pair) as typeof pair
  if (pair.length !== 2) throw new TypeError(expected('applyGradients', whatPairs, `a list of ${pair.length}`))
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

function assignAll(updates: readonly Update[]): void {
  for (const [variable, value] of updates) variable.assign(value)
}
