/** L-BFGS: steps by the curvature that past steps have met. It decides on the host how far to go, so it is no rule. */
import { callOptions, liveSignal, unlessAborted } from '../base/abort.ts'
import { checkFunction, checkInteger, checkNumber, describe, refuseSurplus } from '../base/arguments.ts'
import { notCloned } from '../base/cloning.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { brand } from '../base/identity.ts'
import { showAsText } from '../base/inspection.ts'
import { elementAt } from '../base/lists.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { formatShape, sameShape } from '../base/shape.ts'
import { tensor } from '../tensor/creation.ts'
import type { StateDict } from '../tensor/state-dict.ts'
import { evaluate, evaluateSync, Tensor } from '../tensor/tensor.ts'
import { isCompiling } from '../tensor/trace.ts'
import type { Variable } from '../tensor/variable.ts'
import { Curvature, dot, largest, plus } from './curvature.ts'
import { checkNotNegative } from './definition.ts'
import { type LinePoint, type PointSearch, strongWolfe } from './line-search.ts'
import type { MinimizeAsyncOptions, MinimizeOptions, Minimizer } from './minimizer.ts'
import { namedVariables, type TrainedParameters } from './parameters.ts'
import { gradientsOf } from './reach.ts'
import { checkedState } from './state.ts'

export interface LbfgsOptions {
  /** What the direction is multiplied by, and where the line search begins; 1 unless given. */
  learningRate?: number
  /** The most steps in a call of `minimize`; 20 unless given. */
  maxIter?: number
  /** The most computations of the loss in a call; a quarter more than maxIter unless given. */
  maxEval?: number
  /** Ends where no number of the gradient is larger; 1e-7 unless given. */
  toleranceGrad?: number
  /** Ends where neither the loss nor a parameter changes by more; 1e-9 unless given. */
  toleranceChange?: number
  /** How many steps are remembered; 100 unless given. */
  historySize?: number
  /** How far to go: to where the strong conditions of Wolfe hold, or just by the learning rate; `'strongWolfe'` unless given (PyTorch: none). */
  lineSearch?: 'strongWolfe' | 'none'
}

const lbfgsOptions: OptionTypes<LbfgsOptions> = {
  learningRate: 'number',
  maxIter: 'number',
  maxEval: 'number',
  toleranceGrad: 'number',
  toleranceChange: 'number',
  historySize: 'number',
  lineSearch: ['strongWolfe', 'none'],
}

const minimizeOptions: OptionTypes<MinimizeOptions> = { allowOthers: 'boolean' }

/** What was met at a place: the loss, as a tensor too, and its gradient. */
interface Place {
  readonly value: Tensor
  readonly loss: number
  readonly gradient: Float64Array
}

/** Gives tensors to be computed, at once or off the event loop. */
type Computing<T> = Generator<readonly Tensor[], T, void>

/** What is kept between calls. */
interface Memory {
  readonly iterations: number
  readonly direction: Float64Array
  readonly distance: number
  readonly gradient: Float64Array
}

function flat(parts: readonly ArrayLike<number>[]): Float64Array {
  const all = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0))
  let offset = 0
  for (const part of parts) {
    all.set(part, offset)
    offset += part.length
  }
  return all
}

function assignFlat(variables: readonly Variable[], values: Float64Array): void {
  let offset = 0
  for (const variable of variables) {
    const { shape, dtype, size } = variable
    variable.assign(tensor(values.subarray(offset, offset + size), { shape, dtype }))
    offset += size
  }
}

/** Made by `lbfgs`. A call of `minimize` takes several steps, each of which may compute the loss several times. */
export class LbfgsOptimizer implements Minimizer {
  protected readonly notCloned = notCloned('an optimizer: send what its stateDict() holds')
  readonly #options: Required<LbfgsOptions>
  readonly #curvature: Curvature
  #learningRate: number
  #memory: Memory | null = null
  #parameters: readonly Variable[] | null = null
  #names: ReadonlyMap<Variable, string> = new Map()
  #pending: ReadonlyMap<string, Tensor> | null = null
  #turn: Promise<unknown> = Promise.resolve()

  /** @internal */
  constructor(options: Required<LbfgsOptions>) {
    if (typeof options?.historySize !== 'number')
      throw new TypeError(expected('LbfgsOptimizer', 'optim.lbfgs(options)', 'a call of its constructor'))
    this.#options = options
    this.#learningRate = options.learningRate
    this.#curvature = new Curvature(options.historySize)
  }

  toString(): string {
    return `Optimizer ${this.name}`
  }

  /** What messages call it. */
  get name(): string {
    return 'lbfgs'
  }

  get learningRate(): number {
    return this.#learningRate
  }

  set learningRate(value: number) {
    this.#learningRate = checkRate(value)
  }

  /**
   * Up to `maxIter` steps. The function of the loss is called anew for each place that is looked at, on the same data: it must give the same loss for the
   * same parameters, so nothing in it may be random.
   *
   * @param variables what to update: the same in every call; unless given, every trainable variable the loss depends on
   * @returns the loss before the first step, evaluated
   * @throws TypeError inside compile, and so in `fit`; otherwise as other optimizers do. Where it throws, the parameters are what they were
   */
  minimize(loss: () => Tensor, variables?: TrainedParameters, options?: MinimizeOptions): Tensor {
    const steps = this.#steps('minimize', loss, variables, options)
    for (let next = steps.next(); ; next = steps.next()) {
      if (next.done) return next.value
      try {
        evaluateSync(...next.value)
      } catch (error) {
        steps.throw(error)
      }
    }
  }

  /** `minimize` whose losses and gradients are computed off the event loop. Calls take turns. */
  async minimizeAsync(
    loss: () => Tensor,
    variables?: TrainedParameters,
    options?: MinimizeAsyncOptions,
  ): Promise<Tensor> {
    const { signal: given, ...rest } = checkOptions('minimizeAsync', options, { ...minimizeOptions, ...callOptions })
    const signal = liveSignal('minimizeAsync', { signal: given })
    const turn = this.#turn.then(async () => {
      signal?.throwIfAborted()
      const steps = this.#steps('minimizeAsync', loss, variables, rest)
      for (let next = steps.next(); ; next = steps.next()) {
        if (next.done) return next.value
        try {
          await (signal === undefined ? evaluate(...next.value) : evaluate(...next.value, { signal }))
        } catch (error) {
          steps.throw(error)
        }
      }
    })
    this.#turn = turn.catch(() => {})
    return unlessAborted(signal, turn)
  }

  *#steps(
    op: string,
    loss: () => Tensor,
    given: TrainedParameters | undefined,
    options: MinimizeOptions | undefined,
  ): Computing<Tensor> {
    if (isCompiling())
      throw new TypeError(expected(op, 'lbfgs outside compile and fit, as it decides on the host', 'a call inside'))
    const { allowOthers = false } = checkOptions(op, options, minimizeOptions)
    checkFunction(op, 'a function that gives the loss', loss)
    const named = given === undefined ? undefined : namedVariables(op, given)
    const found = gradientsOf(lossFrom(op, loss), named?.variables, allowOthers).map(([variable]) => variable)
    this.#meet(op, found)
    if (named !== undefined) this.#names = named.names
    if (this.#pending !== null) this.#take(this.#pending)
    const variables = found
    yield variables.map((variable) => variable)
    const before = flat(variables.map((variable) => variable.dataSync()))
    const look = this.#looking(op, loss, variables)
    const [memory, pairs, scale] = [this.#memory, this.#curvature.pairs, this.#curvature.scale]
    try {
      return yield* this.#descend(before, look, variables)
    } catch (error) {
      // Nothing has happened then.
      assignFlat(variables, before)
      this.#memory = memory
      this.#curvature.restore(pairs, scale)
      throw error
    }
  }

  #meet(op: string, variables: readonly Variable[]): void {
    const known = this.#parameters
    if (known !== null && (known.length !== variables.length || known.some((x, i) => x !== variables[i])))
      throw new TypeError(expected(op, 'the parameters of the calls before, as lbfgs remembers their steps', 'others'))
    this.#parameters = variables
  }

  /** Computes the loss and its gradient at a place. */
  #looking(op: string, loss: () => Tensor, variables: readonly Variable[]): (at?: Float64Array) => Computing<Place> {
    return function* (at) {
      if (at !== undefined) assignFlat(variables, at)
      const computed = lossFrom(op, loss)
      const value = computed.stopGradient()
      const gradients = gradientsOf(computed, variables, true).map(([, gradient]) => gradient)
      yield [value, ...gradients]
      return { value, loss: value.itemSync(), gradient: flat(gradients.map((gradient) => gradient.dataSync())) }
    }
  }

  *#descend(
    start: Float64Array,
    look: (at?: Float64Array) => Computing<Place>,
    variables: readonly Variable[],
  ): Computing<Tensor> {
    const { maxIter, maxEval, toleranceGrad, toleranceChange, lineSearch } = this.#options
    const first = yield* look()
    let [place, at, looked] = [first, start, 1]
    for (let i = 1; i <= maxIter && largest(place.gradient) > toleranceGrad; i++) {
      const { direction, distance } = this.#next(place.gradient)
      const slope = dot(place.gradient, direction)
      const iterations = (this.#memory?.iterations ?? 0) + 1
      this.#memory = { iterations, direction, distance, gradient: place.gradient }
      // NaN is no way down.
      if (!(slope <= -toleranceChange)) break
      const before = place
      let gone = distance
      if (lineSearch === 'strongWolfe') {
        const search = this.#search({ at, place, direction, slope, distance, most: maxEval - looked })
        const found = yield* search(look)
        ;[place, gone] = [found.place, found.distance]
        looked += found.looked
      }
      at = plus(at, direction, gone)
      assignFlat(variables, at)
      if (lineSearch === 'none' && i < maxIter) {
        place = yield* look()
        looked++
      }
      this.#memory = { iterations, direction, distance: gone, gradient: before.gradient }
      if (looked >= maxEval || largest(direction) * Math.abs(gone) <= toleranceChange) break
      if (Math.abs(place.loss - before.loss) < toleranceChange && !(lineSearch === 'none' && i === maxIter)) break
    }
    return first.value
  }

  /** Where to go from a gradient, and how far at first. */
  #next(gradient: Float64Array): { direction: Float64Array; distance: number } {
    const memory = this.#memory
    if (memory === null) {
      const size = gradient.reduce((sum, x) => sum + Math.abs(x), 0)
      return { direction: gradient.map((x) => -x), distance: Math.min(1, 1 / size) * this.#learningRate }
    }
    const step = memory.direction.map((x) => x * memory.distance)
    this.#curvature.remember(step, plus(gradient, memory.gradient, -1))
    return { direction: this.#curvature.direction(gradient), distance: this.#learningRate }
  }

  #search({ at, place, direction, slope, distance, most }: SearchFrom) {
    const { toleranceChange } = this.#options
    const size = largest(direction)
    return function* (look: (at?: Float64Array) => Computing<Place>): Computing<SearchResult> {
      const places = new Map<number, Place>([[0, place]])
      const start: LinePoint = { distance: 0, loss: place.loss, gradient: place.gradient, slope }
      const search: PointSearch = strongWolfe(start, distance, most, (length) => length * size < toleranceChange)
      let looked = 0
      let next = search.next()
      while (!next.done) {
        const there = yield* look(plus(at, direction, next.value))
        looked++
        places.set(next.value, there)
        const { loss, gradient } = there
        next = search.next({ distance: next.value, loss, gradient, slope: dot(gradient, direction) })
      }
      return { place: places.get(next.value.distance)!, distance: next.value.distance, looked }
    }
  }

  /**
   * All that the next steps depend on, by name: of each parameter its last `gradient` and `direction`, and the `steps` and `changes` of gradients
   * that are remembered, in float64; and `iterations`, `distance`, `scale` and `learningRate`.
   */
  stateDict(parameters?: TrainedParameters, ...surplus: []): StateDict {
    refuseSurplus('stateDict', 1, surplus)
    if (parameters !== undefined) this.#names = namedVariables('stateDict', parameters).names
    const number = (value: number) => tensor(value, { dtype: 'float64' })
    const rate = { learningRate: number(this.#learningRate) }
    if (this.#pending !== null) return { ...Object.fromEntries(this.#pending), ...rate }
    if (this.#memory === null) return rate
    const { iterations, distance, direction, gradient } = this.#memory
    const pairs = this.#curvature.pairs
    const state: StateDict = {
      ...rate,
      iterations: number(iterations),
      distance: number(distance),
      scale: number(this.#curvature.scale),
    }
    let offset = 0
    for (const variable of this.#parameters ?? []) {
      const { shape, size } = variable
      const [from, path] = [offset, this.#pathOf('stateDict', variable)]
      const rowsOf = (rows: readonly Float64Array[]) =>
        tensor(flat(rows.map((row) => row.subarray(from, from + size))), {
          shape: [rows.length, ...shape],
          dtype: 'float64',
        })
      const one = (values: Float64Array) =>
        tensor(values.subarray(from, from + size), { shape: [...shape], dtype: 'float64' })
      state[`${path}.gradient`] = one(gradient)
      state[`${path}.direction`] = one(direction)
      state[`${path}.steps`] = rowsOf(pairs.map(([step]) => step))
      state[`${path}.changes`] = rowsOf(pairs.map(([, change]) => change))
      offset += size
    }
    return state
  }

  /** Takes over what `stateDict` gave: at the first step, as the parameters are known then. */
  loadStateDict(state: Readonly<Record<string, Tensor>>, parameters?: TrainedParameters, ...surplus: []): void {
    refuseSurplus('loadStateDict', 2, surplus)
    const values = checkedState(state)
    const rate = values.get('learningRate')
    values.delete('learningRate')
    const learningRate = rate === undefined ? this.#learningRate : checkRate(rate.itemSync())
    if (parameters !== undefined) {
      const { variables, names } = namedVariables('loadStateDict', parameters)
      this.#names = names
      if (values.size > 0) this.#check(values, variables)
    }
    this.#learningRate = learningRate
    this.#pending = values.size === 0 ? null : values
  }

  #pathOf(op: string, variable: Variable): string {
    const name = this.#names.get(variable) ?? variable.name
    if (name) return name
    throw new TypeError(expected(op, 'a name for each parameter: pass the model, or all of them by name', variable))
  }

  #check(values: ReadonlyMap<string, Tensor>, variables: readonly Variable[]): void {
    const paths = variables.map((variable) => this.#pathOf('loadStateDict', variable))
    const own = ['iterations', 'distance', 'scale', ...paths.flatMap((path) => kinds.map((kind) => `${path}.${kind}`))]
    const faults = [
      ...own.filter((name) => !values.has(name)).map((name) => `no ${name}`),
      ...[...values.keys()].filter((name) => !own.includes(name)).map((name) => `an unknown ${name}`),
    ]
    if (faults.length > 0)
      throw new TypeError(expected('loadStateDict', 'the state of lbfgs of these parameters', faults.join(', ')))
    const remembered = values.get(`${paths[0]}.steps`)?.shape[0] ?? 0
    variables.forEach((variable, i) => {
      for (const kind of kinds) {
        const { shape } = values.get(`${paths[i]}.${kind}`)!
        const wanted = kind === 'steps' || kind === 'changes' ? [remembered, ...variable.shape] : variable.shape
        if (!sameShape(shape, wanted))
          throw new ShapeError(
            expected('loadStateDict', `${paths[i]}.${kind} of shape ${formatShape(wanted)}`, formatShape(shape)),
          )
      }
    })
  }

  #take(values: ReadonlyMap<string, Tensor>): void {
    const variables = this.#parameters ?? []
    this.#check(values, variables)
    const numbers = (name: string) => Float64Array.from(values.get(name)!.dataSync())
    const all = (kind: string) =>
      variables.map((variable) => numbers(`${this.#pathOf('loadStateDict', variable)}.${kind}`))
    const rows = (kind: string) => {
      const each = all(kind)
      const count = variables.length === 0 ? 0 : each[0]!.length / variables[0]!.size
      return Array.from({ length: count }, (_, row) =>
        flat(each.map((values, i) => values.subarray(row * variables[i]!.size, (row + 1) * variables[i]!.size))),
      )
    }
    const changes = rows('changes')
    this.#curvature.restore(
      rows('steps').map((step, i) => [step, elementAt(changes, i)]),
      numbers('scale')[0]!,
    )
    this.#memory = {
      iterations: numbers('iterations')[0]!,
      distance: numbers('distance')[0]!,
      direction: flat(all('direction')),
      gradient: flat(all('gradient')),
    }
    this.#pending = null
  }
}

brand(LbfgsOptimizer.prototype, 'optimizer')
showAsText(LbfgsOptimizer.prototype)

const kinds = ['gradient', 'direction', 'steps', 'changes']

interface SearchFrom {
  readonly at: Float64Array
  readonly place: Place
  readonly direction: Float64Array
  readonly slope: number
  readonly distance: number
  readonly most: number
}

interface SearchResult {
  readonly place: Place
  readonly distance: number
  readonly looked: number
}

const checkRate = (rate: unknown): number =>
  checkNumber('lbfgs', 'a finite learningRate of at least 0', rate, (x) => Number.isFinite(x) && x >= 0)

function lossFrom(op: string, computeLoss: () => Tensor): Tensor {
  const loss: unknown = computeLoss()
  if (!(loss instanceof Tensor)) throw new TypeError(expected(op, 'a function that returns a tensor', describe(loss)))
  if (loss.size !== 1) throw new ShapeError(expected(op, 'a scalar loss', formatShape(loss.shape)))
  return loss
}

/**
 * L-BFGS: goes along −H·g, with the inverse H of the curvature as the last steps met it (Nocedal & Wright, "Numerical optimization", 2006,
 * algorithms 7.4 and 7.5), as far as the strong conditions of Wolfe say. For losses of all data at once, of few parameters. What it
 * remembers is on the host, in float64, and it decides there, so `minimize` may not be called inside `compile`, nor by `fit`. PyTorch's
 * LBFGS; there is one group of parameters.
 *
 * @example
 * const optimizer = lbfgs({ maxIter: 50 })
 * optimizer.minimize(() => losses.meanSquaredError(model.forward(x), y), model)
 */
export function lbfgs(options?: LbfgsOptions, ...surplus: []): LbfgsOptimizer {
  const given = checkOptions('lbfgs', options, lbfgsOptions, surplus)
  const { learningRate = 1, maxIter = 20, toleranceGrad = 1e-7, toleranceChange = 1e-9, historySize = 100 } = given
  const { maxEval = Math.max(1, Math.floor((maxIter * 5) / 4)), lineSearch = 'strongWolfe' } = given
  checkRate(learningRate)
  checkInteger('lbfgs', 'an integer maxIter of at least 1', maxIter, 1)
  checkInteger('lbfgs', 'an integer maxEval of at least 1', maxEval, 1)
  checkInteger('lbfgs', 'an integer historySize of at least 1', historySize, 1)
  checkNotNegative('lbfgs', { toleranceGrad, toleranceChange })
  return new LbfgsOptimizer({
    learningRate,
    maxIter,
    maxEval,
    toleranceGrad,
    toleranceChange,
    historySize,
    lineSearch,
  })
}
