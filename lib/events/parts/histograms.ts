/** How weights, gradients and activations are spread, after each epoch or every few. */
import { isFloat } from '../../base/dtype.ts'
import { leavesOf } from '../../base/tree.ts'
import { Module } from '../../nn/module.ts'
import { aroundForward } from '../../nn/summary.ts'
import { Tensor } from '../../tensor/tensor.ts'
import type { EpochInfo } from '../../train/events.ts'
import { checkedWeights } from '../../train/loss.ts'
import type { Settings } from '../../train/options.ts'
import type { Argument } from '../../train/source.ts'
import { namesOf, parametersOf } from '../../train/steps.ts'
import { compile } from '../../transforms/compile.ts'
import { gradients } from '../../transforms/gradients.ts'
import { type Counted, counted, histogramOf } from '../counting.ts'
import type { Part, Recording } from '../recording.ts'
import { onSample } from '../sample.ts'

/** So many tensors are counted in one program: its making is what holds up the event loop. */
const tensorsPerProgram = 4

type Named = Readonly<Record<string, Tensor>>

export class Histograms implements Part {
  readonly #every: number
  #count: ((named: Named) => Promise<[string, Counted][]>) | undefined
  #observe: ((argument: Argument) => Promise<Named>) | undefined

  /** @param every after every so many epochs, and the last one */
  constructor(every: number) {
    this.#every = every
  }

  begin({ run: { settings } }: Recording): void {
    this.#count = counting()
    this.#observe = onSample(settings, true, (batch, parameters) =>
      gradientsAndActivations(settings, batch, parameters),
    )
  }

  async epoch(recording: Recording, { epoch }: EpochInfo): Promise<void> {
    const { settings, stopped } = recording.run
    if ((epoch + 1) % this.#every !== 0 && epoch + 1 !== settings.epochs && !stopped) return
    const { op, model } = settings
    const place = recording.place()
    const weights = prefixed('weights', namesOf(model, parametersOf(op, model)))
    const found = await this.#count!(weights)
    if (recording.sample !== undefined) found.push(...(await this.#count!(await this.#observe!(recording.sample))))
    for (const [tag, each] of found) recording.write({ type: 'histogram', ...place, tag, value: histogramOf(each) })
  }
}

const prefixed = (prefix: string, named: Named): Named =>
  Object.fromEntries(Object.entries(named).map(([name, x]) => [`${prefix}/${name}`, x]))

/** Counts tensors by name, some at a time. Programs are found again by the types of tensors, and by the variables themselves. */
function counting() {
  const count = compile((tensors: readonly Tensor[]) => tensors.map((x) => counted(x)))
  return async (named: Named): Promise<[string, Counted][]> => {
    const entries = Object.entries(named).filter(([, x]) => isFloat(x.dtype) && x.size > 0)
    const found: [string, Counted][] = []
    for (let i = 0; i < entries.length; i += tensorsPerProgram) {
      const some = entries.slice(i, i + tensorsPerProgram)
      const results = await count(some.map(([, x]) => x))
      found.push(...some.map(([name], i): [string, Counted] => [name, results[i]!]))
    }
    return found
  }
}

/** As the step has them: the model is in training mode. */
function gradientsAndActivations(
  { op, model, loss }: Settings,
  { x, y, weights }: Parameters<Parameters<typeof onSample>[2]>[0],
  parameters: Parameters<Parameters<typeof onSample>[2]>[1],
): Named {
  const activations = new Map<string, Tensor>()
  const prediction = watched(model, activations, () => model.forward(x as never))
  const { total } = loss.of(prediction, y, checkedWeights(op, weights))
  const trainable = parameters.filter(({ trainable }) => trainable)
  const found = gradients(total, trainable, undefined, { allowUnused: true })
  const names = Object.keys(namesOf(model, trainable))
  const named = names.flatMap((name, i): [string, Tensor][] => (found[i] ? [[name, found[i]]] : []))
  return {
    ...prefixed('gradients', Object.fromEntries(named)),
    ...prefixed('activations', Object.fromEntries(activations)),
  }
}

/** Runs a forward pass, and notes what each module gives when it is called first; what a module passes on is that of the inner one. */
function watched(model: object, activations: Map<string, Tensor>, forward: () => unknown): unknown {
  if (!(model instanceof Module)) return forward()
  const paths = new Map(Object.entries(model.namedModules()).map(([path, module]) => [module as object, path]))
  const seen = new Set<unknown>()
  const note = (module: object, call: () => unknown): unknown => {
    const result = call()
    for (const [path, leaf] of leavesOf('observe', paths.get(module) || 'output', result))
      if (leaf instanceof Tensor && !seen.has(leaf)) {
        seen.add(leaf)
        if (!activations.has(path)) activations.set(path, leaf)
      }
    return result
  }
  return aroundForward(paths.keys(), note, forward)
}
