/** Recurrent layers: loops over the steps of sequences. */
import { checkInteger, checkNumber, checkValues, describe } from '../base/arguments.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { formatShape } from '../base/shape.ts'
import { where } from '../operations/comparison.ts'
import { dropout } from '../operations/dropout.ts'
import { concat, stack } from '../operations/joining.ts'
import { arange, tensor, zeros, zerosLike } from '../tensor/creation.ts'
import { Tensor, type TensorLike } from '../tensor/tensor.ts'
import { scan } from '../transforms/scan.ts'
import {
  addWeights,
  type CellOptions,
  cellOptions,
  checkSize,
  type Kind,
  kinds,
  type Nonlinearity,
  projectInput,
  type States,
  statesOf,
  stepOf,
  weightsOf,
} from './cells.ts'
import { inputOf } from './inputs.ts'
import { Module } from './module.ts'
import { titled } from './repr.ts'

export interface RecurrentOptions extends CellOptions {
  /** How many layers are on top of each other, 10,000 at most; 1 unless given. */
  layers?: number
  /** Whether each layer also reads the sequence backwards, and gives both outputs side by side; false unless given. */
  bidirectional?: boolean
  /** The rate at which elements between layers are dropped in training mode; 0 unless given. */
  dropout?: number
  /** Whether inputs and outputs are [batch, steps, …], and not [steps, batch, …]; false unless given, as in PyTorch. */
  batchFirst?: boolean
}

export interface RnnOptions extends RecurrentOptions {
  /** `'tanh'` unless given. */
  nonlinearity?: Nonlinearity
}

export interface RecurrentInputs {
  /**
   * How many steps each sequence of the batch has: what comes after them is padding, which changes nothing. Outputs are 0
   * there, and the state is that after the last step, as of PyTorch's packed sequences.
   */
  lengths?: TensorLike | null
}

export interface RecurrentOutput<State> {
  /** The hidden states of the last layer after each step: [steps, batch, hidden], twice as wide where it is bidirectional. */
  output: Tensor
  /** The states of all layers after the last step, each [layers·directions, batch, hidden]. */
  state: State
}

const recurrentOptions: OptionTypes<RecurrentOptions> = {
  ...cellOptions,
  layers: 'number',
  bidirectional: 'boolean',
  dropout: 'number',
  batchFirst: 'boolean',
}
const rnnOptions: OptionTypes<RnnOptions> = { ...recurrentOptions, nonlinearity: ['tanh', 'relu'] }
const recurrentInputs: OptionTypes<RecurrentInputs> = { lengths: 'other or null' }

/** Whether there is a step, where sequences are of different lengths: bool[steps, batch, 1]. */
type Present = Tensor | null

/** A recurrent network: see {@link lstm}. Parameters have PyTorch's names, `weight_ih_l0`, `bias_hh_l1_reverse`. */
export class Recurrent<State> extends Module<Tensor, RecurrentOutput<State>> {
  readonly #op: string
  readonly #kind: Kind
  readonly #inputSize: number
  readonly #hiddenSize: number
  readonly #layers: number
  readonly #suffixes: readonly string[]
  readonly #dropout: number
  readonly #batchFirst: boolean

  /** @internal */
  constructor(op: string, kind: Kind, inputSize: number, hiddenSize: number, options: RnnOptions) {
    super()
    this.#op = op
    this.#kind = kind
    this.#inputSize = checkSize(op, 'inputs', inputSize)
    this.#hiddenSize = checkSize(op, 'hidden units', hiddenSize)
    const { layers = 1, bidirectional = false, dropout = 0, batchFirst = false } = options
    this.#layers = checkInteger(op, 'a positive number of layers', layers, 1, 10_000)
    this.#dropout = checkNumber(op, 'a dropout in [0, 1]', dropout, (p) => p >= 0 && p <= 1)
    this.#batchFirst = batchFirst
    this.#suffixes = bidirectional ? ['', '_reverse'] : ['']
    titled(this, op.toUpperCase(), { inputSize, hiddenSize, ...options })
    for (let layer = 0; layer < layers; layer++) {
      const width = layer === 0 ? inputSize : hiddenSize * this.#suffixes.length
      for (const suffix of this.#suffixes) addWeights(this, kind, [width, hiddenSize], options, `_l${layer}${suffix}`)
    }
  }

  /**
   * @param x [steps, batch, in], [batch, steps, in] where it is `batchFirst`, or one sequence [steps, in]
   * @param state what it begins with, as `state` of the result; zeros unless given
   * @throws ShapeError for an input or a state of another shape
   */
  forward(
    x: TensorLike,
    state?: State | TensorLike | null,
    inputs?: RecurrentInputs,
    ...surplus: []
  ): RecurrentOutput<State> {
    const { lengths = null } = checkOptions(this.#op, inputs, recurrentInputs, surplus)
    const given = inputOf(this.#op, x)
    const isBatch = given.shape.length === 3
    if (given.shape.at(-1) !== this.#inputSize || given.shape.length < 2 || given.shape.length > 3)
      throw new ShapeError(
        expected(
          this.#op,
          `an input of shape [${this.#batchFirst ? 'batch, steps' : 'steps, batch'}, ${this.#inputSize}]`,
          formatShape(given.shape),
        ),
      )
    const sequence = isBatch ? (this.#batchFirst ? given.permute([1, 0, 2]) : given) : given.unsqueeze(1)
    const [steps = 0, batch = 0] = sequence.shape
    const initial = this.#initial(state ?? null, isBatch ? batch : null, given)
    const { output, finals } = this.#run(sequence, initial, presentSteps(this.#op, lengths, steps, batch))
    const stacked = Array.from({ length: this.#kind.states }, (_, i) =>
      stack(finals.map((states) => states[i] as Tensor)),
    )
    const states = isBatch ? stacked : stacked.map((x) => x.squeeze(1))
    return {
      output: isBatch ? (this.#batchFirst ? output.permute([1, 0, 2]) : output) : output.squeeze(1),
      state: (this.#kind.states === 1 ? states[0] : states) as State,
    }
  }

  /** The states that each direction of each layer begins with: [batch, hidden]. */
  #initial(state: State | TensorLike | null, batch: number | null, { dtype }: Tensor): Tensor[][] {
    const { states } = this.#kind
    const directions = this.#layers * this.#suffixes.length
    const shape = [directions, ...(batch === null ? [] : [batch]), this.#hiddenSize]
    const whole =
      state === null
        ? Array.from({ length: states }, () => zeros(shape, { dtype: dtype === 'float64' ? dtype : 'float32' }))
        : statesOf(this.#op, listOf(this.#op, state, states), states, shape)
    return Array.from({ length: directions }, (_, i) =>
      whole.map((x) => x.slice([i], [i + 1]).reshape([batch ?? 1, this.#hiddenSize])),
    )
  }

  #run(sequence: Tensor, initial: readonly States[], present: Present): { output: Tensor; finals: States[] } {
    const finals: States[] = []
    let output = sequence
    for (let layer = 0; layer < this.#layers; layer++) {
      const input = layer === 0 ? output : dropout(output, this.#dropout, { training: this.training })
      const outputs = this.#suffixes.map((suffix, direction) => {
        const states = initial[finals.length] as States
        const run = this.#direction(input, `_l${layer}${suffix}`, states, direction === 1, present)
        finals.push(run.states)
        return run.output
      })
      output = outputs.length === 1 ? (outputs[0] as Tensor) : concat(outputs, 2)
    }
    return { output, finals }
  }

  /** One layer in one direction. Backwards, what is padding comes first, and leaves the state as it begins. */
  #direction(x: Tensor, suffix: string, initial: States, reverse: boolean, present: Present) {
    const weights = weightsOf(this, suffix)
    const step = stepOf(this.#kind, weights)
    const projected = projectInput(x, this.#kind, weights)
    const [states, output] = scan(
      (before, { input, isThere }) => {
        const next = step(input, before)
        if (isThere === null) return [next, next[0] as Tensor]
        const kept = next.map((state, i) => where(isThere, state, before[i] as Tensor))
        const hidden = next[0] as Tensor
        return [kept, where(isThere, hidden, zerosLike(hidden))]
      },
      initial as Tensor[],
      { input: projected, isThere: present },
      { reverse },
    )
    return { states, output }
  }
}

function listOf(op: string, state: unknown, count: number): TensorLike[] {
  if (count === 1) return [state as TensorLike]
  if (Array.isArray(state)) return state
  throw new TypeError(expected(op, 'the states [h, c]', describe(state)))
}

function presentSteps(op: string, lengths: TensorLike | null, steps: number, batch: number): Present {
  if (lengths === null) return null
  const counts = lengths instanceof Tensor ? lengths : tensor(checkValues(op, lengths), { dtype: 'int32' })
  if (counts.shape.length !== 1 || counts.shape[0] !== batch)
    throw new ShapeError(expected(op, `lengths of shape [${batch}]`, formatShape(counts.shape)))
  if (Array.isArray(lengths) && lengths.some((length) => Number(length) < 1 || Number(length) > steps))
    throw new RangeError(expected(op, `lengths from 1 to ${steps}`, lengths))
  return arange(0, steps, { dtype: 'int32' })
    .reshape([steps, 1, 1])
    .less(counts.reshape([1, batch, 1]))
}

/**
 * A plain recurrent network: h' = tanh(x·weight_ihᵀ + bias_ih + h·weight_hhᵀ + bias_hh) at each step. Otherwise as {@link lstm}, with
 * one state.
 *
 * PyTorch calls it `nn.RNN`, Keras `SimpleRNN`.
 *
 * @throws TypeError, RangeError for sizes or options that are none
 */
export function rnn(inputSize: number, hiddenSize: number, options?: RnnOptions, ...surplus: []): Recurrent<Tensor> {
  const given = checkOptions('rnn', options, rnnOptions, surplus)
  return new Recurrent('rnn', kinds.rnn(given.nonlinearity ?? 'tanh'), inputSize, hiddenSize, given)
}

/**
 * A gated recurrent network, with gates r, z, n as PyTorch has them. Otherwise as {@link lstm}, with one state.
 *
 * PyTorch calls it `nn.GRU`, Keras `GRU` (with `reset_after`).
 *
 * @throws TypeError, RangeError for sizes or options that are none
 */
export function gru(
  inputSize: number,
  hiddenSize: number,
  options?: RecurrentOptions,
  ...surplus: []
): Recurrent<Tensor> {
  const given = checkOptions('gru', options, recurrentOptions, surplus)
  return new Recurrent('gru', kinds.gru(), inputSize, hiddenSize, given)
}

/**
 * A network with long short-term memory, with PyTorch's names, layouts, order of gates and initial values: its state dictionary is
 * that of `nn.LSTM`. `forward(x, [h, c]?, { lengths }?)` gives `{ output, state }`; in `sequential` the output goes on. The steps
 * are a loop in the program (see `scan`), with the input's projection for all of them as one product before it.
 *
 * PyTorch calls it `nn.LSTM`, Keras `LSTM`.
 *
 * @throws TypeError, RangeError for sizes or options that are none
 *
 * @example
 * const reader = nn.lstm(64, 128, { layers: 2, batchFirst: true })
 * const { output, state: [h, c] } = reader.forward(x, null, { lengths: [7, 3] }) // x[2, 7, 64] gives output[2, 7, 128]
 */
export function lstm(
  inputSize: number,
  hiddenSize: number,
  options?: RecurrentOptions,
  ...surplus: []
): Recurrent<[h: Tensor, c: Tensor]> {
  const given = checkOptions('lstm', options, recurrentOptions, surplus)
  return new Recurrent('lstm', kinds.lstm(), inputSize, hiddenSize, given)
}
