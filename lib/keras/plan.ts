/** In which order the layers of a model are called. */
import { type Call, type LayerSpec, type ModelSpec, type Reference, referencesIn } from './architecture.ts'
import { fail } from './config.ts'

export interface Step {
  readonly layer: LayerSpec
  readonly call: Call
  /** What references to what it gives are found by. */
  readonly key: string
}

export const keyOf = ({ layer, call }: Pick<Reference, 'layer' | 'call'>): string => `${call}:${layer}`

/**
 * The calls that the outputs need, each after those whose results it takes.
 * @throws DataFormatError for references to what there is not, and circles
 */
export function planOf(model: ModelSpec): Step[] {
  const steps = new Map<string, Step>()
  for (const layer of model.layers)
    for (const [i, call] of layer.calls.entries()) {
      const key = keyOf({ layer: layer.name, call: layer.firstCall + i })
      steps.set(key, { layer, call, key })
    }
  const inputs = new Set(model.layers.filter(({ className }) => className === 'InputLayer').map(({ name }) => name))
  const order: Step[] = []
  const states = new Map<string, 'open' | 'done'>()
  // A list of what is still to be done, as models may be deeper than the call stack.
  const left = [...referencesIn(model.outputs), ...referencesIn(model.inputs)]
  const stack: (Reference | Step)[] = [...left].reverse()
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    if ('key' in next) {
      states.set(next.key, 'done')
      order.push(next)
      continue
    }
    if (inputs.has(next.layer)) continue
    const step = steps.get(keyOf(next))
    if (step === undefined) return fail(model.origin, `call ${next.call} of a layer ${next.layer}`, 'none')
    const state = states.get(step.key)
    if (state === 'open') fail(model.origin, 'layers without a circle', `one through ${next.layer}`)
    if (state !== undefined) continue
    states.set(step.key, 'open')
    stack.push(step, ...[...referencesIn([...step.call.args]), ...referencesIn({ ...step.call.kwargs })].reverse())
  }
  return order
}
