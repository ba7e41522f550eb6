/** A model of layers by name: what follows from the data, and from the layers before, need not be given. */

import { isPlainObject } from '../../base/options.ts'
import type { Shape } from '../../base/shape.ts'
import * as nn from '../../nn/index.ts'
import { zeros } from '../../tensor/creation.ts'
import { Tensor } from '../../tensor/tensor.ts'
import { compile } from '../../transforms/compile.ts'
import { argumentsOf, type Call, callByName, type Infer } from '../config/calls.ts'
import { type Fault, faultOf, keyIn } from '../config/diagnostics.ts'
import { layers } from '../config/layers.ts'
import { isNested } from '../config/model-check.ts'

/** Of rows, of which there are so many in a shape while layers are made. */
const rows = 2

export interface Flow {
  /** With the axis of rows. */
  readonly shape: Shape
  readonly dtype: Tensor['dtype']
}

type AnyLayer = nn.Module<Tensor, unknown>

/** The flow after a layer: it is recorded, and never computed. */
function flowAfter(layer: AnyLayer, { shape, dtype }: Flow): Flow {
  let after: Flow | undefined
  layer.eval()
  try {
    // It returns nothing, so that what was recorded is not prepared.
    compile((x: Tensor) => {
      const given = layer.forward(x)
      const output = given instanceof Tensor ? given : (given as { output: Tensor }).output
      after = { shape: output.shape, dtype: output.dtype }
    }).program(zeros(shape, { dtype }))
  } finally {
    layer.train()
  }
  return after!
}

class Builder {
  readonly faults: Fault[] = []

  /** @param outputs how many numbers the last layer is to give */
  constructor(private readonly outputs: number) {}

  /** Layers one after the other; undefined once one of them does not fit. */
  list(
    calls: readonly Call[],
    flow: Flow,
    key: string,
    isLast: boolean,
  ): { layers: AnyLayer[]; flow: Flow } | undefined {
    const made: AnyLayer[] = []
    for (const [i, call] of calls.entries()) {
      const at = `${key}[${i}]`
      const layer = this.#layer(call, flow, at, isLast && i === calls.length - 1)
      if (layer === undefined) return undefined
      try {
        flow = flowAfter(layer, flow)
      } catch (error) {
        this.faults.push(faultOf(at, error))
        return undefined
      }
      made.push(layer)
    }
    return { layers: made, flow }
  }

  #layer(call: Call, flow: Flow, key: string, isLast: boolean): AnyLayer | undefined {
    if (isNested(call)) return this.#nested(call, flow, key, isLast)
    const infer: Infer = (from, given) => {
      if (from === 'outputs') return isLast ? this.outputs : undefined
      const options = given as { layout?: unknown }
      const isChannelsLast = typeof options.layout === 'string' && options.layout.endsWith('C')
      return from === 'channels' && !isChannelsLast ? flow.shape[1] : flow.shape.at(-1)
    }
    return callByName(layers, call, key, this.faults, infer) as AnyLayer | undefined
  }

  #nested(call: Exclude<Call, string>, flow: Flow, key: string, isLast: boolean): AnyLayer | undefined {
    const { type, given } = argumentsOf(call)
    const listed = (name: string, last: boolean) =>
      given[name] === undefined ? undefined : this.list(given[name] as readonly Call[], flow, keyIn(key, name), last)
    if (type === 'sequential') {
      const inner = listed('layers', isLast)
      return inner && nn.sequential(...(inner.layers as nn.Module[]))
    }
    const [inner, shortcut] = [listed('inner', false), listed('shortcut', false)]
    if (inner === undefined || (given.shortcut !== undefined && shortcut === undefined)) return undefined
    return nn.residual(
      nn.sequential(...(inner.layers as nn.Module[])),
      shortcut ? { shortcut: nn.sequential(...(shortcut.layers as nn.Module[])) } : {},
    )
  }
}

/**
 * The layers of a configuration in a `sequential`.
 * @param flow of the rows of data
 * @throws whatever `refuse` makes of the faults
 */
export function modelOfLayers(
  calls: readonly Call[],
  flow: { readonly shape: Shape; readonly dtype: Tensor['dtype'] },
  outputs: number,
  refuse: (faults: readonly Fault[]) => Error,
): nn.Module {
  const builder = new Builder(outputs)
  const built = builder.list(calls, { shape: [rows, ...flow.shape], dtype: flow.dtype }, 'model', true)
  if (built === undefined) throw refuse(builder.faults)
  return nn.sequential(...(built.layers as nn.Module[]))
}

/** What a model gives for a row, as far as that is one tensor. */
export function outputShapeOf(model: AnyLayer, shape: Shape, dtype: Tensor['dtype']): Shape | undefined {
  let found: Shape | undefined
  model.eval()
  compile((x: Tensor) => {
    const given = model.forward(x)
    const output = isPlainObject(given) ? (given as { output?: unknown }).output : given
    if (output instanceof Tensor) found = output.shape.slice(1)
  }).program(zeros([rows, ...shape], { dtype }))
  model.train()
  return found
}
