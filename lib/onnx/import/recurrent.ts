/** Recurrent networks: RNN, GRU and LSTM with all their options, as loops over time. */

import { elu, leakyRelu, relu, sigmoid, softsign } from '../../operations/activations.ts'
import { add, clamp, mul, sub } from '../../operations/arithmetic.ts'
import { greater, less, where } from '../../operations/comparison.ts'
import { slice } from '../../operations/indexing.ts'
import { concat, split, stack } from '../../operations/joining.ts'
import { softplus, tanh } from '../../operations/math.ts'
import { matmul } from '../../operations/products.ts'
import { permute, transpose } from '../../operations/rearrange.ts'
import { reshape } from '../../operations/shape.ts'
import { zeros } from '../../tensor/creation.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { scan } from '../../transforms/scan.ts'
import type { Call } from './call.ts'
import { type Family, row } from './row.ts'
import { table, wrong } from './tables.ts'

type Activation = (x: Tensor) => Tensor

/** A function by its name, with the numbers that it takes of those that the node lists. */
interface ActivationRow {
  readonly alpha?: number
  readonly beta?: number
  f(x: Tensor, alpha: number, beta: number): Tensor
}

const activations: Readonly<Record<string, ActivationRow>> = {
  relu: { f: (x) => relu(x) },
  tanh: { f: (x) => tanh(x) },
  sigmoid: { f: (x) => sigmoid(x) },
  softsign: { f: (x) => softsign(x) },
  softplus: { f: (x) => softplus(x) },
  affine: { alpha: 1, beta: 0, f: (x, alpha, beta) => add(mul(x, alpha), beta) },
  leakyrelu: { alpha: 0.01, f: (x, alpha) => leakyRelu(x, alpha) },
  thresholdedrelu: { alpha: 1, f: (x, alpha) => where(greater(x, alpha), x, 0) },
  scaledtanh: { alpha: 1, beta: 1, f: (x, alpha, beta) => mul(tanh(mul(x, beta)), alpha) },
  hardsigmoid: { alpha: 0.2, beta: 0.5, f: (x, alpha, beta) => clamp(add(mul(x, alpha), beta), 0, 1) },
  elu: { alpha: 1, f: (x, alpha) => elu(x, alpha) },
}

/** The activations of each direction, whose numbers are listed in the order of those that take some. */
function activationsOf(n: Call, directions: number, otherwise: readonly string[]): readonly (readonly Activation[])[] {
  const { attributes } = n
  const names = attributes.strings('activations', Array.from({ length: directions }, () => otherwise).flat())
  if (names.length !== directions * otherwise.length)
    throw attributes.error('activations', `${directions * otherwise.length} names`, names.length)
  const [alphas, betas] = [attributes.floats('activation_alpha', []), attributes.floats('activation_beta', [])]
  let [a, b] = [0, 0]
  const clip = attributes.float('clip', Number.POSITIVE_INFINITY)
  if (!(clip > 0)) throw attributes.error('clip', 'a positive number', clip)
  const all = names.map((name): Activation => {
    const found = Object.hasOwn(activations, name.toLowerCase()) ? activations[name.toLowerCase()] : undefined
    if (found === undefined) throw attributes.error('activations', 'names of activations', name)
    const alpha = found.alpha === undefined ? 0 : (alphas[a++] ?? found.alpha)
    const beta = found.beta === undefined ? 0 : (betas[b++] ?? found.beta)
    return clip === Number.POSITIVE_INFINITY
      ? (x) => found.f(x, alpha, beta)
      : (x) => found.f(clamp(x, -clip, clip), alpha, beta)
  })
  return Array.from({ length: directions }, (_, i) => all.slice(i * otherwise.length, (i + 1) * otherwise.length))
}

/** What one direction of a layer is made of; weights are transposed, for rows of a batch. */
interface Direction {
  readonly hidden: number
  /** [in, gates·hidden] */
  readonly input: Tensor
  /** [hidden, gates·hidden] */
  readonly recurrent: Tensor
  /** [gates·hidden] each: of the input, and of the recurrence. */
  readonly biases: readonly [Tensor, Tensor] | null
  /** [3·hidden] */
  readonly peepholes: Tensor | null
  readonly f: readonly Activation[]
}

type States = readonly Tensor[]

/** A kind of network. */
interface Kind {
  readonly gates: number
  readonly states: number
  readonly activations: readonly string[]
  /** The next states, the hidden one first, from the input's projection, which has its bias, and the states before. */
  step(direction: Direction, projected: Tensor, states: States): States
}

/** What is added to the input's projection for all steps at once: also the recurrence's bias, where only the sum of both counts. */
const recurrence = ({ recurrent }: Direction, h: Tensor): Tensor => matmul(h, recurrent)

const rnn: Kind = {
  gates: 1,
  states: 1,
  activations: ['Tanh'],
  step: (direction, x, [h]) => [direction.f[0]!(add(x, recurrence(direction, h!)))],
}

const gru = (linearBeforeReset: boolean): Kind => ({
  gates: 3,
  states: 1,
  activations: ['Sigmoid', 'Tanh'],
  step(direction, x, [h]) {
    const { hidden, recurrent, f } = direction
    const [inputZ, inputR, inputH] = split(x, 3, -1) as [Tensor, Tensor, Tensor]
    const bias = direction.biases?.[1]
    const biasH = bias && slice(bias, [2 * hidden], [3 * hidden])
    const withBias = (y: Tensor) => (biasH === undefined ? y : add(y, biasH))
    const gates = (y: Tensor) => split(y, 2, -1) as [Tensor, Tensor]
    if (linearBeforeReset) {
      const [z, r, candidate] = split(matmul(h!, recurrent), 3, -1) as [Tensor, Tensor, Tensor]
      const update = f[0]!(add(inputZ, z))
      const next = f[1]!(add(inputH, mul(f[0]!(add(inputR, r)), withBias(candidate))))
      return [add(mul(sub(1, update), next), mul(update, h!))]
    }
    const [z, r] = gates(matmul(h!, slice(recurrent, [0, 0], [hidden, 2 * hidden])))
    const update = f[0]!(add(inputZ, z))
    const reset = mul(f[0]!(add(inputR, r)), h!)
    const next = f[1]!(withBias(add(inputH, matmul(reset, slice(recurrent, [0, 2 * hidden], [hidden, 3 * hidden])))))
    return [add(mul(sub(1, update), next), mul(update, h!))]
  },
})

const lstm = (couplesInputForget: boolean): Kind => ({
  gates: 4,
  states: 2,
  activations: ['Sigmoid', 'Tanh', 'Tanh'],
  step(direction, x, [h, c]) {
    const { f, peepholes } = direction
    const [i, o, forget, candidate] = split(add(x, recurrence(direction, h!)), 4, -1) as [
      Tensor,
      Tensor,
      Tensor,
      Tensor,
    ]
    const [peepI, peepO, peepF] = peepholes === null ? [] : split(peepholes, 3, -1)
    const peep = (gate: Tensor, weight: Tensor | undefined, cell: Tensor) =>
      weight === undefined ? gate : add(gate, mul(weight, cell))
    const input = f[0]!(peep(i, peepI, c!))
    const kept = couplesInputForget ? sub(1, input) : f[0]!(peep(forget, peepF, c!))
    const cell = add(mul(kept, c!), mul(input, f[1]!(candidate)))
    return [mul(f[0]!(peep(o, peepO, cell)), f[2]!(cell)), cell]
  },
})

/** What is added to the input's projection before the loop. The last gate of a GRU has the recurrence's bias elsewhere. */
function inputBias({ hidden, biases }: Direction, { gates, states }: Kind): Tensor | null {
  if (biases === null) return null
  const [input, recurrent] = biases
  if (gates !== 3 || states !== 1) return add(input, recurrent)
  const first = slice(recurrent, [0], [2 * hidden])
  return add(input, concat([first, zeros([hidden], { dtype: recurrent.dtype })], 0))
}

/** One direction over x[time, batch, in]: the hidden states of all steps, [time, batch, hidden], and the last states. */
function run(kind: Kind, direction: Direction, x: Tensor, initial: States, isActive: Tensor | null, reverse: boolean) {
  const bias = inputBias(direction, kind)
  const product = matmul(x, direction.input)
  const projected = bias === null ? product : add(product, bias)
  const [last, hidden] = scan(
    (states: readonly Tensor[], { x, active }: { x: Tensor; active: Tensor | null }) => {
      const next = kind.step(direction, x, states)
      if (active === null) return [[...next], next[0]!] as const
      // Sequences that have ended keep their states, and give zeros.
      const kept = next.map((state, i) => where(active, state, states[i]!))
      return [kept, where(active, next[0]!, 0)] as const
    },
    [...initial],
    { x: projected, active: isActive },
    { reverse },
  ) as unknown as [Tensor[], Tensor]
  return { last, hidden }
}

const directionNames = ['forward', 'reverse', 'bidirectional'] as const

function recurrent(n: Call, kind: Kind): Tensor[] {
  const { attributes } = n
  const isBatchFirst = attributes.int('layout', 0) === 1
  const name = attributes.choice('direction', directionNames, 'forward')
  const count = name === 'bidirectional' ? 2 : 1
  const [given, weights, recurrents] = [n.tensor(0), n.tensor(1), n.tensor(2)]
  const x = isBatchFirst ? permute(given, [1, 0, 2]) : given
  const [steps, batch, width] = x.shape as [number, number, number]
  const hidden = recurrents.shape[2] ?? 0
  const size = kind.gates * hidden
  const fits = (t: Tensor, shape: readonly number[]) =>
    t.ndim === shape.length && t.shape.every((e, i) => e === shape[i])
  if (x.ndim !== 3 || !fits(weights, [count, size, width]) || !fits(recurrents, [count, size, hidden]))
    throw wrong(
      n,
      `weights [${count}, ${size}, ${width}] and [${count}, ${size}, hidden]`,
      `[${weights.shape}], [${recurrents.shape}]`,
    )
  if (attributes.int('hidden_size', hidden) !== hidden)
    throw attributes.error('hidden_size', String(hidden), attributes.int('hidden_size', 0))
  const f = activationsOf(n, count, kind.activations)
  const lengths = n.optional(4)
  const isActive =
    lengths === undefined
      ? null
      : less(
          table('int32', [steps, 1, 1], (i) => i),
          reshape(lengths, [1, batch, 1]),
        )
  const [bias, peepholes] = [n.optional(3), kind.states === 2 ? n.optional(7) : undefined]
  const stateOf = (input: number, i: number): Tensor => {
    const all = n.optional(input)
    if (all === undefined) return zeros([batch, hidden], { dtype: x.dtype })
    const states = isBatchFirst ? permute(all, [1, 0, 2]) : all
    if (!fits(states, [count, batch, hidden]))
      throw wrong(n, `states [${count}, ${batch}, ${hidden}]`, `[${states.shape}]`)
    return states.select(0, i)
  }
  const part = (t: Tensor, i: number) => t.select(0, i)
  const results = Array.from({ length: count }, (_, i) => {
    const direction: Direction = {
      hidden,
      input: transpose(part(weights, i)),
      recurrent: transpose(part(recurrents, i)),
      biases: bias === undefined ? null : (split(part(bias, i), 2, 0) as [Tensor, Tensor]),
      peepholes: peepholes === undefined ? null : part(peepholes, i),
      f: f[i]!,
    }
    const initial = [stateOf(5, i), ...(kind.states === 2 ? [stateOf(6, i)] : [])]
    return run(kind, direction, x, initial, isActive, name === 'reverse' || i === 1)
  })
  // [time, directions, batch, hidden] and [directions, batch, hidden]; with the batch first [batch, time, directions, hidden] and so on.
  const all = stack(
    results.map(({ hidden }) => hidden),
    1,
  )
  const lasts = Array.from({ length: kind.states }, (_, state) =>
    stack(
      results.map(({ last }) => last[state]!),
      0,
    ),
  )
  return isBatchFirst ? [permute(all, [2, 0, 1, 3]), ...lasts.map((last) => permute(last, [1, 0, 2]))] : [all, ...lasts]
}

export const recurrentNetworks: Family = {
  RNN: row([7, 14, 22], (n) => recurrent(n, rnn)),
  GRU: row([7, 14, 22], (n) => recurrent(n, gru(n.attributes.flag('linear_before_reset', false)))),
  LSTM: row([7, 14, 22], (n) => recurrent(n, lstm(n.attributes.flag('input_forget', false)))),
}
