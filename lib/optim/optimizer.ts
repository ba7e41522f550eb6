import type { DType, TypedArray } from '../base/dtype.ts'
import { expected, GradientError, ShapeError } from '../base/errors.ts'
import { checkNumber } from '../base/options.ts'
import { formatShape, sameShape } from '../base/shape.ts'
import { gradients } from '../graph/autograd.ts'
import type { Node } from '../graph/node.ts'
import { tensor, zerosLike } from '../tensor/creation.ts'
import { loadState, type StateDict, stateOf } from '../tensor/state-dict.ts'
import { evaluate, evaluateSync, Tensor, type TensorLike, wrap } from '../tensor/tensor.ts'
import { activeTrace, dynamicInput } from '../tensor/trace.ts'
import { Variable, variable } from '../tensor/variable.ts'
import { variablesOf } from '../transforms/gradients.ts'

export type ParameterGradient = readonly [parameter: Variable, gradient: Tensor]

/** A variable and the value it takes next. */
export type Update = readonly [variable: Variable, value: Tensor]

/** What a rule has beside parameters and gradients. */
export interface RuleState {
  /** The learning rate as an input of the program, which every run reads anew. */
  learningRate(dtype: DType): Node
  /** A variable of the optimizer that belongs to a parameter and begins as zeros of its type. */
  slot(parameter: Variable, name: string): Variable
  /** A float32 scalar of the optimizer that begins at 0, and counts exactly up to 2²⁴. */
  counter(name: string): Variable
}

/** How an optimizer goes one step: what becomes of each parameter, and of its own variables. */
export type UpdateRule = (pairs: readonly ParameterGradient[], state: RuleState) => Update[]

/**
 * Makes a loss small, a step at a time. One step computes the loss, its gradients and all updates in one program;
 * inside `compile` it becomes part of the compiled function, and the parameters are updated in place.
 */
export class Optimizer {
  readonly #name: string
  readonly #rule: UpdateRule
  readonly #state = new Map<string, Variable>()
  /** The parameters in the order in which they were first met: their numbers name their slots. */
  readonly #numbers = new Map<Variable, number>()
  #rates: { readonly float32: TypedArray; readonly float64: TypedArray }
  #turn: Promise<unknown> = Promise.resolve()

  /** @internal */
  constructor(name: string, learningRate: number, rule: UpdateRule) {
    this.#name = name
    this.#rule = rule
    this.#rates = ratesOf(name, learningRate)
  }

  /** What the gradient is scaled by. A change holds from the next step on, in compiled functions too. */
  get learningRate(): number {
    return this.#rates.float64[0]!
  }

  set learningRate(value: number) {
    this.#rates = ratesOf(this.#name, value)
  }

  /**
   * One step: computes the loss and updates the variables it depends on.
   *
   * @param loss gives a scalar; it is called once
   * @param variables what to update; unless given, every trainable variable the loss depends on
   * @returns the loss before the update, evaluated
   * @throws ShapeError for a loss that is no scalar; GradientError where it does not depend on a variable
   *
   * @example
   * const w = variable(1)
   * sgd({ learningRate: 0.1 }).minimize(() => w.square()) // w is 0.8 then
   */
  minimize(loss: () => Tensor, variables?: readonly Variable[]): Tensor {
    const { value, updates } = this.#step(loss, variables)
    if (activeTrace() === null) evaluateSync(value, ...updates.map(([, next]) => next))
    assignAll(updates)
    return value
  }

  /** `minimize` off the event loop. Calls take turns, so that each sees the variables as the one before left them. */
  async minimizeAsync(loss: () => Tensor, variables?: readonly Variable[]): Promise<Tensor> {
    if (activeTrace() !== null)
      throw new TypeError(expected('minimizeAsync', 'minimize inside compile', 'minimizeAsync'))
    const turn = this.#turn.then(async () => {
      const { value, updates } = this.#step(loss, variables)
      await evaluate(value, ...updates.map(([, next]) => next))
      assignAll(updates)
      return value
    })
    this.#turn = turn.catch(() => {})
    return turn
  }

  /**
   * One step along gradients that were computed elsewhere: clipped, or accumulated over several batches.
   *
   * @throws ShapeError where a gradient has not the shape of its variable
   */
  applyGradients(pairs: readonly (readonly [Variable, TensorLike])[]): void {
    const updates = this.#updates(pairs.map(([parameter, gradient]) => checkedPair(parameter, gradient)))
    if (activeTrace() === null) evaluateSync(...updates.map(([, next]) => next))
    assignAll(updates)
  }

  /** The optimizer's own variables by name: `0.velocity` is that of the first parameter. */
  stateDict(): StateDict {
    return stateOf(this.#state)
  }

  /**
   * Takes over the state of an optimizer that has updated the same parameters in the same order.
   *
   * @throws TypeError for a missing or an unknown name, ShapeError, DTypeError for values that do not fit
   */
  loadStateDict(state: Readonly<Record<string, Tensor>>): void {
    if (this.#state.size > 0) loadState(this.#state, state)
    else
      for (const [name, value] of Object.entries(state))
        this.#state.set(name, variable(value, { name, trainable: false }))
  }

  #step(computeLoss: () => Tensor, variables?: readonly Variable[]): { value: Tensor; updates: Update[] } {
    const loss = computeLoss()
    if (!(loss instanceof Tensor))
      throw new TypeError(expected('minimize', 'a function that returns a tensor', typeof loss))
    if (loss.size !== 1) throw new ShapeError(expected('minimize', 'a scalar loss', formatShape(loss.shape)))
    // What is returned must not keep the graph of the step alive.
    return { value: loss.stopGradient(), updates: this.#updates(gradientsOf(loss, variables)) }
  }

  #updates(pairs: readonly ParameterGradient[]): Update[] {
    const rates = new Map<DType, Node>()
    const learningRate = (dtype: DType): Node => {
      const read = () => this.#rates[dtype as 'float32' | 'float64']
      const known = rates.get(dtype) ?? dynamicInput(dtype, [], read)
      rates.set(dtype, known)
      return known
    }
    return this.#rule(pairs, {
      learningRate,
      slot: (parameter, name) => this.#slot(parameter, name),
      counter: (name) => this.#variable(name, () => variable(0, { name, trainable: false })),
    })
  }

  #slot(parameter: Variable, kind: string): Variable {
    const number = this.#numbers.get(parameter) ?? this.#numbers.size
    this.#numbers.set(parameter, number)
    const name = `${number}.${kind}`
    const found = this.#variable(name, () => variable(zerosLike(parameter), { name, trainable: false }))
    if (!sameShape(found.shape, parameter.shape) || found.dtype !== parameter.dtype)
      throw new ShapeError(expected(this.#name, `a state ${name} like ${parameter}`, found))
    return found
  }

  #variable(name: string, create: () => Variable): Variable {
    const found = this.#state.get(name) ?? create()
    this.#state.set(name, found)
    return found
  }
}

/** New arrays each time: a run under way may still read the old ones. */
function ratesOf(name: string, value: number) {
  checkNumber(name, 'a finite learningRate of at least 0', value, (x) => Number.isFinite(x) && x >= 0)
  return { float32: Float32Array.of(value), float64: Float64Array.of(value) }
}

function checkedPair(parameter: Variable, gradient: TensorLike): ParameterGradient {
  if (!(parameter instanceof Variable)) throw new TypeError(expected('applyGradients', 'a variable', typeof parameter))
  const value = gradient instanceof Tensor ? gradient : tensor(gradient, { dtype: parameter.dtype })
  if (!sameShape(value.shape, parameter.shape))
    throw new ShapeError(
      expected('applyGradients', `a gradient of shape ${formatShape(parameter.shape)}`, formatShape(value.shape)),
    )
  return [parameter, value.cast(parameter.dtype)]
}

/** With variables given, the loss has to depend on each of them; otherwise on any. */
function gradientsOf(loss: Tensor, given?: readonly Variable[]): ParameterGradient[] {
  const variables = [...new Set(given ?? variablesOf(loss))]
  if (variables.some((x) => !(x instanceof Variable)))
    throw new TypeError(expected('minimize', 'a list of variables', 'something else in it'))
  const found = gradients(
    loss.node,
    variables.map(({ node }) => node),
  )
  const pairs = variables.flatMap((variable, i): ParameterGradient[] => {
    const gradient = found[i]
    if (gradient) return [[variable, wrap(gradient)]]
    if (given === undefined) return []
    throw new GradientError(`minimize: the loss does not depend on ${variable} by a differentiable path`)
  })
  if (pairs.length > 0) return pairs
  throw new GradientError('minimize: the loss depends on no trainable variable by a differentiable path')
}

function assignAll(updates: readonly Update[]): void {
  for (const [variable, value] of updates) variable.assign(value)
}
