/** One step of recurrent networks: what their layers do at each of them, and the cells that do it alone. */
import { checkNumber } from '../base/arguments.ts'
import type { DType } from '../base/dtype.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { formatShape, sameShape } from '../base/shape.ts'
import { relu } from '../operations/activations.ts'
import { split } from '../operations/joining.ts'
import { zeros } from '../tensor/creation.ts'
import { uniform } from '../tensor/random.ts'
import type { Tensor, TensorLike } from '../tensor/tensor.ts'
import { type Variable, variable } from '../tensor/variable.ts'
import { customGradient } from '../transforms/custom-gradient.ts'
import { inputOf } from './inputs.ts'
import { Module } from './module.ts'
import { capitalized, titled } from './repr.ts'

/** What a network carries: its hidden state, and of an LSTM the state of its cells. */
export type States = readonly Tensor[]

/** What kind of network it is; the projections have its gates side by side, in PyTorch's order. */
export interface Kind {
  readonly gates: number
  readonly states: number
  /** Whether the projection of the hidden state only ever meets the one of the input in a sum. */
  readonly isSum: boolean
  /** The next states, the hidden one first, from the projections of the input and of the hidden state. */
  step(input: Tensor, hidden: Tensor, states: States): Tensor[]
}

export type Nonlinearity = 'tanh' | 'relu'

// As PyTorch's, these have their gradients from their values, which a loop keeps anyway. Those of the operations keep more
// of the tails, from the arguments.
const sigmoid = customGradient(
  (x: Tensor) => x.sigmoid(),
  (ct, y) => ct.mul(y.sub(y.square())),
)
const tanh = customGradient(
  (x: Tensor) => x.tanh(),
  (ct, y) => ct.mul(y.square().neg().add(1)),
)

const activations = { tanh, relu: (x: Tensor) => relu(x) } as const

export const kinds = {
  /** h' = tanh(Wx + b + Uh + c) (Elman 1990), or with relu. */
  rnn: (nonlinearity: Nonlinearity): Kind => ({
    gates: 1,
    states: 1,
    isSum: true,
    step: (input, hidden) => [activations[nonlinearity](input.add(hidden))],
  }),

  /**
   * r, z = σ(input + hidden); n = tanh(input + r·hidden); h' = (1 − z)·n + z·h (Cho et al. 2014, with the reset after the product,
   * as PyTorch and cuDNN have it).
   */
  gru: (): Kind => ({
    gates: 3,
    states: 1,
    isSum: false,
    step(input, hidden, [h]) {
      const [inputR, inputZ, inputN] = split(input, 3, -1)
      const [hiddenR, hiddenZ, hiddenN] = split(hidden, 3, -1)
      const n = tanh(inputN.add(sigmoid(inputR.add(hiddenR)).mul(hiddenN)))
      return [n.add(sigmoid(inputZ.add(hiddenZ)).mul((h as Tensor).sub(n)))]
    },
  }),

  /** i, f, o = σ(…), g = tanh(…); c' = f·c + i·g; h' = o·tanh(c') (Hochreiter & Schmidhuber 1997; Gers et al. 2000). */
  lstm: (): Kind => ({
    gates: 4,
    states: 2,
    isSum: true,
    step(input, hidden, [, c]) {
      const [i, f, g, o] = split(input.add(hidden), 4, -1)
      const next = sigmoid(f)
        .mul(c as Tensor)
        .add(sigmoid(i).mul(tanh(g)))
      return [sigmoid(o).mul(tanh(next)), next]
    },
  }),
} as const

/** The parameters of one direction of one layer, under PyTorch's names. */
export interface Weights {
  /** [gates·hidden, in] */
  readonly input: Variable
  /** [gates·hidden, hidden] */
  readonly hidden: Variable
  /** [gates·hidden], of the input and of the hidden state. */
  readonly biases: readonly [Variable, Variable] | null
}

export interface CellOptions {
  /** Whether both projections add a bias; true unless given. */
  bias?: boolean
  /** float32 unless given. */
  dtype?: DType
}

export interface RnnCellOptions extends CellOptions {
  /** `'tanh'` unless given. */
  nonlinearity?: Nonlinearity
}

export const cellOptions: OptionTypes<CellOptions> = { bias: 'boolean', dtype: 'dtype' }
const rnnCellOptions: OptionTypes<RnnCellOptions> = { ...cellOptions, nonlinearity: ['tanh', 'relu'] }

export function checkSize(op: string, what: string, size: number): number {
  return checkNumber(op, `a positive integer of ${what}`, size, (x) => Number.isInteger(x) && x > 0)
}

/** Properties of a module that hold the parameters, uniform on ±1/√hidden as in PyTorch. */
export function addWeights(
  module: Module<never, unknown>,
  { gates }: Kind,
  [inputSize, hiddenSize]: readonly [number, number],
  { bias = true, dtype = 'float32' }: CellOptions,
  suffix = '',
): void {
  const limit = 1 / Math.sqrt(hiddenSize)
  const add = (name: string, shape: readonly number[]) =>
    Object.assign(module, {
      [`${name}${suffix}`]: variable(uniform(shape, { min: -limit, max: limit, dtype }), { name }),
    })
  add('weight_ih', [gates * hiddenSize, inputSize])
  add('weight_hh', [gates * hiddenSize, hiddenSize])
  if (!bias) return
  add('bias_ih', [gates * hiddenSize])
  add('bias_hh', [gates * hiddenSize])
}

/** What stands in the properties that `addWeights` made. */
export function weightsOf(module: Module<never, unknown>, suffix = ''): Weights {
  const named = module as unknown as Record<string, Variable>
  const at = (name: string) => named[`${name}${suffix}`] as Variable
  const biases = `bias_ih${suffix}` in named ? ([at('bias_ih'), at('bias_hh')] as const) : null
  return { input: at('weight_ih'), hidden: at('weight_hh'), biases }
}

/** The input of all steps as the gates see it, in one product; with both biases where these are only added. */
export function projectInput(x: Tensor, { isSum }: Kind, { input, biases }: Weights): Tensor {
  const product = x.matmul(input.transpose())
  if (biases === null) return product
  return product.add(isSum ? biases[0].add(biases[1]) : biases[0])
}

/** From the projection of its input to the next states of one step. */
export function stepOf(kind: Kind, { hidden, biases }: Weights): (input: Tensor, states: States) => Tensor[] {
  const turned = hidden.transpose()
  return (input, states) => {
    const product = (states[0] as Tensor).matmul(turned)
    return kind.step(input, kind.isSum || biases === null ? product : product.add(biases[1]), states)
  }
}

/** @throws ShapeError for states that are not of these shapes */
export function statesOf(op: string, given: readonly TensorLike[], count: number, shape: readonly number[]): Tensor[] {
  const states = given.map((state) => inputOf(op, state))
  const misfit = states.find((state) => !sameShape(state.shape, shape))
  if (states.length !== count) throw new TypeError(expected(op, `${count} states`, states.length))
  if (misfit !== undefined)
    throw new ShapeError(expected(op, `a state of shape ${formatShape(shape)}`, formatShape(misfit.shape)))
  return states
}

/** One step: parameters `weight_ih`, `weight_hh`, `bias_ih`, `bias_hh`. */
export class RecurrentCell<State> extends Module<Tensor, State> {
  readonly #op: string
  readonly #kind: Kind
  readonly #inputSize: number
  readonly #hiddenSize: number

  /** @internal */
  constructor(op: string, kind: Kind, inputSize: number, hiddenSize: number, options: CellOptions) {
    super()
    this.#op = op
    this.#kind = kind
    this.#inputSize = checkSize(op, 'inputs', inputSize)
    this.#hiddenSize = checkSize(op, 'hidden units', hiddenSize)
    titled(this, capitalized(op), { inputSize, hiddenSize, ...options })
    addWeights(this, kind, [inputSize, hiddenSize], options)
  }

  /**
   * The next state: [batch, hidden], or of an LSTM the hidden state and that of its cells.
   *
   * @param x [batch, in], or [in]
   * @param state the state before; zeros unless given
   */
  forward(x: TensorLike, state?: State | TensorLike | null): State {
    const input = inputOf(this.#op, x)
    if (input.shape.at(-1) !== this.#inputSize || input.shape.length > 2)
      throw new ShapeError(
        expected(this.#op, `an input of shape [batch, ${this.#inputSize}]`, formatShape(input.shape)),
      )
    const weights = weightsOf(this)
    const shape = [...input.shape.slice(0, -1), this.#hiddenSize]
    const isAlone = this.#kind.states === 1
    const given = state == null ? null : ((isAlone ? [state] : state) as readonly TensorLike[])
    const states =
      given === null
        ? Array.from({ length: this.#kind.states }, () => zeros(shape, { dtype: weights.hidden.dtype }))
        : statesOf(this.#op, Array.isArray(given) ? given : [given], this.#kind.states, shape)
    const next = stepOf(this.#kind, weights)(projectInput(input, this.#kind, weights), states)
    return (isAlone ? next[0] : next) as State
  }
}

/**
 * One step of a plain recurrent network: h' = tanh(x·weight_ihᵀ + bias_ih + h·weight_hhᵀ + bias_hh), with PyTorch's names, layout
 * and initial values. `forward(x, h?)` gives h'.
 *
 * PyTorch calls it `nn.RNNCell`, Keras `SimpleRNNCell`.
 *
 * @throws TypeError, RangeError for sizes or options that are none
 */
export function rnnCell(
  inputSize: number,
  hiddenSize: number,
  options?: RnnCellOptions,
  ...surplus: []
): RecurrentCell<Tensor> {
  const given = checkOptions('rnnCell', options, rnnCellOptions, surplus)
  return new RecurrentCell('rnnCell', kinds.rnn(given.nonlinearity ?? 'tanh'), inputSize, hiddenSize, given)
}

/**
 * One step of a GRU, with gates r, z, n in PyTorch's order, names, layout and initial values. `forward(x, h?)` gives h'.
 *
 * PyTorch calls it `nn.GRUCell`, Keras `GRUCell`.
 *
 * @throws TypeError, RangeError for sizes or options that are none
 */
export function gruCell(
  inputSize: number,
  hiddenSize: number,
  options?: CellOptions,
  ...surplus: []
): RecurrentCell<Tensor> {
  return new RecurrentCell(
    'gruCell',
    kinds.gru(),
    inputSize,
    hiddenSize,
    checkOptions('gruCell', options, cellOptions, surplus),
  )
}

/**
 * One step of an LSTM, with gates i, f, g, o in PyTorch's order, names, layout and initial values. `forward(x, [h, c]?)` gives
 * [h', c'].
 *
 * PyTorch calls it `nn.LSTMCell`, Keras `LSTMCell`.
 *
 * @throws TypeError, RangeError for sizes or options that are none
 *
 * @example
 * const cell = nn.lstmCell(8, 16)
 * let [h, c] = cell.forward(x)
 * ;[h, c] = cell.forward(y, [h, c])
 */
export function lstmCell(
  inputSize: number,
  hiddenSize: number,
  options?: CellOptions,
  ...surplus: []
): RecurrentCell<[h: Tensor, c: Tensor]> {
  return new RecurrentCell(
    'lstmCell',
    kinds.lstm(),
    inputSize,
    hiddenSize,
    checkOptions('lstmCell', options, cellOptions, surplus),
  )
}
