/** Recurrent layers, and those that apply a layer to steps of a sequence. */

import * as g from '../../operations/index.ts'
import { zeros } from '../../tensor/creation.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { scan } from '../../transforms/scan.ts'
import { type LayerSpec, readPart } from '../architecture.ts'
import { Config } from '../config.ts'
import { asFloat, CallArguments, type Given, type KerasLayer, type Make, type Output, type Value } from '../layer.ts'
import { masked, maskOf } from '../masks.ts'
import { type Cell, cellClasses, cellOf } from './cells.ts'

interface Run {
  readonly returnsSequences: boolean
  readonly returnsState: boolean
  readonly goesBackwards: boolean
  /** What stands in place of the outputs of steps that do not count: 0, or the output before. */
  readonly zeroForMasked: boolean
}

function runOf(config: Config): Run {
  config.refuse('stateful', (value) => value === false, 'stateful as false')
  config.refuse('time_major', (value) => value === false, 'time_major as false')
  return {
    returnsSequences: config.flag('return_sequences', false),
    returnsState: config.flag('return_state', false),
    goesBackwards: config.flag('go_backwards', false),
    zeroForMasked: config.flag('zero_output_for_mask', false),
  }
}

/** The states that a call gives: in a list after the input, or by name; zeros else. */
function initialStates(cell: Cell, x: Tensor, given: Given): Tensor[] {
  const [first] = given.args
  const behind = Array.isArray(first) ? (first as readonly Value[]).slice(1) : []
  const named = given.get(1, 'initial_state')
  const list = named === undefined ? behind : Array.isArray(named) ? (named as readonly Value[]) : [named]
  const states = list.flat() as unknown as Tensor[]
  if (states.length === 0) return cell.states.map((units) => zeros([x.shape[0]!, units]))
  return states.length === cell.states.length
    ? states.map(asFloat)
    : given.config.fail(`${cell.states.length} initial states`, states)
}

/** Elements that stay, and what is made up for those that do not; the same ones at every step. */
const dropMask = (shape: readonly number[], rate: number): Tensor =>
  g.dropout(g.add(zeros(shape), 1), rate, { training: true })

/** The steps of a cell over x[batch, steps, features]. */
function runCell(cell: Cell, layer: KerasLayer, own: KerasLayer, given: Given, run: Run): Output {
  const x = given.floats
  if (x.ndim !== 3) given.config.fail('an input [batch, steps, features]', `one of ${x.ndim} axes`)
  const [batch, steps] = [x.shape[0]!, x.shape[1]!]
  if (steps === 0) given.config.fail('an input of at least one step', 'none')
  const mask = given.optional(2, 'mask') ?? maskOf(x)
  const isTraining = layer.training && given.kwargs.training !== false
  const { input: inputRate, state: stateRate } = isTraining ? cell.drops : { input: 0, state: 0 }
  const dropped = inputRate === 0 ? x : x.mul(dropMask([batch, 1, x.shape[2]!], inputRate))
  const stateMask = stateRate === 0 ? undefined : dropMask([batch, cell.states[0]!], stateRate)
  const projected = cell.project(own, dropped).permute([1, 0, 2])
  const counts = mask === undefined ? null : g.expandDims(mask.permute([1, 0]), 2)

  const initial = initialStates(cell, x, given)
  const carry = { states: initial, before: zeros([batch, cell.states[cell.output]!]) }
  const step = (carried: { states: Tensor[]; before: Tensor }, entry: { x: Tensor; counts: Tensor | null }) => {
    const hidden = stateMask === undefined ? carried.states[0]! : carried.states[0]!.mul(stateMask)
    const next = cell.step(own, entry.x, carried.states, hidden)
    if (entry.counts === null) return [{ states: next, before: carried.before }, next[cell.output]!] as const
    const states = next.map((state, i) => g.where(entry.counts!, state, carried.states[i]!))
    const other = run.zeroForMasked ? carried.before.mul(0) : carried.before
    const output = g.where(entry.counts, next[cell.output]!, other)
    return [{ states, before: output }, output] as const
  }
  const [last, outputs] = scan(step as never, carry, { x: projected, counts } as never, {
    reverse: run.goesBackwards,
  }) as unknown as [{ states: Tensor[] }, Tensor]
  // Outputs stand at the places of their inputs; Keras gives them in the order in which they were made.
  const ordered = run.goesBackwards ? g.flip(outputs, 0) : outputs
  const output = run.returnsSequences ? masked(ordered.permute([1, 0, 2]), mask) : g.select(ordered, 0, steps - 1)
  return run.returnsState ? [output, ...last.states] : output
}

/** A layer whose cell is its own: Keras 3 keeps its variables under `cell`. */
const recurrent =
  (className: string): Make =>
  (config) => {
    const cell = cellOf(className, config)
    const run = runOf(config)
    return {
      slots: cell.slots.map((slot) => ({ ...slot, path: ['cell'] })),
      forward: (layer, given) => runCell(cell, layer, layer, given, run),
    }
  }

const rnn: Make = (config) => {
  const spec = readPart(config, config.object('cell'))
  const cell = cellOf(spec.className, spec.config)
  const run = runOf(config)
  return {
    parts: { cell: { spec, path: ['cell'] } },
    forward: (layer, given) => runCell(cell, layer, layer.part('cell') as KerasLayer, given, run),
  }
}

/** One step by itself, as a part of `RNN` and `StackedRNNCells`. */
const cellLayer =
  (className: string): Make =>
  (config) => {
    const cell = cellOf(className, config)
    return {
      slots: cell.slots,
      ...(cell.parts !== undefined && { parts: cell.parts }),
      forward(layer, given) {
        const states = initialStates(cell, given.x, given)
        const next = cell.step(layer, cell.project(layer, given.floats), states, states[0]!)
        return [next[cell.output]!, ...next]
      },
    }
  }

/** A layer applied to each step: the steps become a part of the batch. */
const timeDistributed: Make = (config) => {
  const spec = readPart(config, config.object('layer'))
  return {
    parts: { layer: { spec, path: ['layer'] } },
    forward(layer, { x }) {
      const [batch, steps] = [x.shape[0]!, x.shape[1] ?? 1]
      const output = layer.part('layer').forward(x.reshape([batch * steps, ...x.shape.slice(2)]) as never) as Tensor
      return output.reshape([batch, steps, ...output.shape.slice(1)])
    },
    keepsMask: true,
  }
}

const merges = {
  concat: (a: Tensor, b: Tensor) => g.concat([a, b], -1),
  sum: (a: Tensor, b: Tensor) => a.add(b),
  mul: (a: Tensor, b: Tensor) => a.mul(b),
  ave: (a: Tensor, b: Tensor) => a.add(b).div(2),
} as const

/** The layer that goes the other way, where the options do not say it themselves. */
function backwardOf(config: Config, forward: LayerSpec): LayerSpec {
  const given = config.get('backward_layer')
  if (given !== undefined) return readPart(config, given)
  const name = `backward_${forward.name.replace(/^forward_/, '')}`
  const values = { ...forward.config.values, name, go_backwards: !forward.config.flag('go_backwards', false) }
  return { ...forward, name, config: new Config(config.origin, name, values) }
}

const bidirectional: Make = (config) => {
  const forward = readPart(config, config.object('layer'))
  const backward = backwardOf(config, forward)
  const merge =
    config.get('merge_mode') === null || !('merge_mode' in config.values) ? undefined : config.get('merge_mode')
  const join = merge === undefined ? undefined : merges[config.choice('merge_mode', ['concat', 'sum', 'mul', 'ave'])]
  const isSequence = forward.config.flag('return_sequences', false)
  return {
    parts: {
      forward_layer: { spec: forward, path: ['forward_layer'] },
      backward_layer: { spec: backward, path: ['backward_layer'] },
    },
    forward(layer, given) {
      const [ahead, back] = directions(layer, given)
      const turned = isSequence ? g.flip(back[0]!, 1) : back[0]!
      const outputs = join === undefined ? [ahead[0]!, turned] : [join(ahead[0]!, turned)]
      const mask = isSequence ? maskOf(ahead[0]) : undefined
      const all = [...outputs.map((output) => masked(output, mask)), ...ahead.slice(1), ...back.slice(1)]
      return all.length === 1 ? all[0]! : all
    },
  }
}

/** What both directions give: the output, then states. Half of the initial states is for each. */
function directions(layer: KerasLayer, given: Given): [Tensor[], Tensor[]] {
  const [first] = given.args
  const list = Array.isArray(first) ? (first as readonly Value[]) : [first as Value]
  const named = given.get(1, 'initial_state')
  const states = named === undefined ? list.slice(1) : (named as readonly Value[])
  const half = states.length / 2
  const mask = given.optional(2, 'mask') ?? maskOf(given.x)
  const run = (part: string, own: readonly Value[]) => {
    const kwargs = {
      ...given.kwargs,
      ...(own.length > 0 && { initial_state: own }),
    }
    const output = (layer.part(part) as KerasLayer).forward(new CallArguments([masked(given.x, mask)], kwargs))
    return Array.isArray(output) ? output : [output]
  }
  return [run('forward_layer', states.slice(0, half)), run('backward_layer', states.slice(half))]
}

export const recurrentLayers: Record<string, Make> = {
  SimpleRNN: recurrent('SimpleRNNCell'),
  LSTM: recurrent('LSTMCell'),
  GRU: recurrent('GRUCell'),
  RNN: rnn,
  TimeDistributed: timeDistributed,
  Bidirectional: bidirectional,
  ...Object.fromEntries(cellClasses.map((className): [string, Make] => [className, cellLayer(className)])),
}
