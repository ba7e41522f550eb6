/** The cells of recurrent layers: one step each, with the gates and layouts of Keras. */
import * as g from '../../operations/index.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { activationOf } from '../activations.ts'
import { readPart } from '../architecture.ts'
import type { Config } from '../config.ts'
import type { KerasLayer, Part, Slot } from '../layer.ts'
import { numberedNames } from '../numbered-names.ts'

/** The input and the states of a step, less what is dropped of them in training mode; one choice for all steps. */
export interface Drops {
  readonly input: number
  readonly state: number
}

export interface Cell {
  readonly slots: readonly Slot[]
  readonly parts?: Readonly<Record<string, Part>>
  /** The features of each state, the output first. */
  readonly states: readonly number[]
  readonly drops: Drops
  /** What of the input is the same work at each step, for any number of them at once. */
  project(layer: KerasLayer, x: Tensor): Tensor
  /** The next states, of which the first (the last cell's, of a stack) is the output; `hidden` is the first one after dropout. */
  step(layer: KerasLayer, projected: Tensor, states: readonly Tensor[], hidden: Tensor): Tensor[]
  /** Which of the states is the output. */
  readonly output: number
}

const dropsOf = (config: Config): Drops => ({
  input: config.rate('dropout', 0),
  state: config.rate('recurrent_dropout', 0),
})

const slotsOf = (config: Config, gates: number, biasShape: readonly number[]): Slot[] => {
  const units = config.count('units')
  return [
    { name: 'kernel', shape: [null, gates * units] },
    { name: 'recurrent_kernel', shape: [units, gates * units] },
    ...(config.flag('use_bias', true) ? [{ name: 'bias', shape: biasShape }] : []),
  ]
}

function projectWithBias(layer: KerasLayer, x: Tensor): Tensor {
  const product = x.matmul(layer.variable('kernel'))
  const bias = layer.optional('bias')
  return bias === undefined ? product : product.add(bias)
}

const recur = (layer: KerasLayer, hidden: Tensor): Tensor => hidden.matmul(layer.variable('recurrent_kernel'))

/** h' = φ(xW + b + hU). */
function simpleCell(config: Config): Cell {
  const units = config.count('units')
  const activation = activationOf(config, 'activation', 'tanh')
  return {
    ...{ slots: slotsOf(config, 1, [units]), states: [units], drops: dropsOf(config), output: 0 },
    project: projectWithBias,
    step: (layer, projected, _states, hidden) => [activation(projected.add(recur(layer, hidden)))],
  }
}

/** Gates i, f, c, o: c' = f·c + i·φ(…), h' = o·φ(c'). */
function lstmCell(config: Config): Cell {
  const units = config.count('units')
  const activation = activationOf(config, 'activation', 'tanh')
  const gate = activationOf(config, 'recurrent_activation', 'sigmoid')
  return {
    ...{ slots: slotsOf(config, 4, [4 * units]), states: [units, units], drops: dropsOf(config), output: 0 },
    project: projectWithBias,
    step(layer, projected, states, hidden) {
      const [i, f, c, o] = g.split(projected.add(recur(layer, hidden)), 4, -1)
      const next = gate(f)
        .mul(states[1]!)
        .add(gate(i).mul(activation(c)))
      return [gate(o).mul(activation(next)), next]
    },
  }
}

/** Gates z, r, h; with `reset_after` the reset is after the product with the state, which has a bias of its own. */
function gruCell(config: Config): Cell {
  const units = config.count('units')
  const activation = activationOf(config, 'activation', 'tanh')
  const gate = activationOf(config, 'recurrent_activation', 'sigmoid')
  const resetsAfter = config.flag('reset_after', config.origin.dialect === 'keras3')
  const biases = resetsAfter ? [2, 3 * units] : [3 * units]
  const biasAt = (layer: KerasLayer, row: number) => {
    const bias = layer.optional('bias')
    return bias === undefined || !resetsAfter ? bias : g.select(bias, 0, row)
  }
  const plus = (x: Tensor, bias: Tensor | undefined) => (bias === undefined ? x : x.add(bias))
  return {
    ...{ slots: slotsOf(config, 3, biases), states: [units], drops: dropsOf(config), output: 0 },
    project: (layer, x) => plus(x.matmul(layer.variable('kernel')), biasAt(layer, 0)),
    step(layer, projected, states, hidden) {
      const h = states[0]!
      const [xz, xr, xh] = g.split(projected, 3, -1)
      const blend = (z: Tensor, candidate: Tensor) => [z.mul(h).add(z.mul(-1).add(1).mul(candidate))]
      if (resetsAfter) {
        const [hz, hr, hh] = g.split(plus(recur(layer, hidden), biasAt(layer, 1)), 3, -1)
        return blend(gate(xz.add(hz)), activation(xh.add(gate(xr.add(hr)).mul(hh))))
      }
      const kernel = layer.variable('recurrent_kernel')
      const part = (from: number, to: number) => g.slice(kernel, [0, from * units], [units, to * units])
      const [hz, hr] = g.split(hidden.matmul(part(0, 2)), 2, -1)
      const reset = gate(xr.add(hr)).mul(hidden)
      return blend(gate(xz.add(hz)), activation(xh.add(reset.matmul(part(2, 3)))))
    },
  }
}

/** Cells on each other, whose states follow each other. */
function stackedCells(config: Config): Cell {
  const specs = config.list('cells').map((cell) => readPart(config, cell))
  if (specs.length === 0) config.fail('cells', 'none')
  const paths = numberedNames(specs.map(({ className }) => className))
  const cells = specs.map((spec) => cellOf(spec.className, spec.config))
  const parts = specs.map((spec, i): [string, Part] => [`cells_${i}`, { spec, path: ['cells', paths[i]!] }])
  const starts = cells.map((_, i) => cells.slice(0, i).reduce((sum, { states }) => sum + states.length, 0))
  const last = cells.length - 1
  return {
    slots: [],
    parts: Object.fromEntries(parts),
    states: cells.flatMap(({ states }) => states),
    drops: { input: 0, state: 0 },
    output: starts[last]! + cells[last]!.output,
    project: (_, x) => x,
    step(layer, x, states) {
      let input = x
      return cells.flatMap((cell, i) => {
        const part = layer.part(`cells_${i}`) as KerasLayer
        const own = states.slice(starts[i], starts[i]! + cell.states.length)
        const next = cell.step(part, cell.project(part, input), own, own[0]!)
        input = next[cell.output]!
        return next
      })
    },
  }
}

const cells: Readonly<Record<string, (config: Config) => Cell>> = {
  SimpleRNNCell: simpleCell,
  LSTMCell: lstmCell,
  GRUCell: gruCell,
  StackedRNNCells: stackedCells,
}

export const cellClasses = Object.keys(cells)

export const isCell = (className: string): boolean => Object.hasOwn(cells, className)

/** The cell of a class, by its options. */
export const cellOf = (className: string, config: Config): Cell =>
  isCell(className) ? cells[className]!(config) : config.fail('a cell of a known kind', className)
