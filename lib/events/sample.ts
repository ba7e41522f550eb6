/** A batch of the data that a training is looked at with, and what a model does with it. */

import { withMode } from '../nn/module.ts'
import { tensor } from '../tensor/creation.ts'
import { randomStream } from '../tensor/random.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { withoutAssignments } from '../tensor/trace.ts'
import type { Variable } from '../tensor/variable.ts'
import type { Settings } from '../train/options.ts'
import { type Argument, type Crossing, RowSource, type StepBatch } from '../train/source.ts'
import { parametersOf } from '../train/steps.ts'
import { type Compiled, compile } from '../transforms/compile.ts'

/** The first rows of data in memory, as many as a step has. */
export function firstRows({ source, batchSize }: Settings): Argument | undefined {
  if (!(source instanceof RowSource)) return undefined
  const rows = Math.min(batchSize, source.dataset.size)
  return tensor(Int32Array.from({ length: rows }, (_, i) => i))
}

/** The batch of a stream; rows in memory are the first ones instead, which are always the same. */
export const batchIn = ({ argument, steps }: Crossing): Argument | undefined =>
  steps === undefined ? argument : undefined

/** A function of a batch that changes nothing: neither a variable nor what others draw at random. It draws the same at each call. */
export function onSample<R>(
  { op, model, source, seed }: Settings,
  training: boolean,
  fn: (batch: StepBatch, parameters: readonly Variable[]) => R,
): (argument: Argument) => Promise<R> {
  const random = randomStream(seed)
  const run: Compiled<[argument: Argument], R> = compile((argument: Argument) =>
    random.run(() =>
      withoutAssignments(() => {
        const parameters = parametersOf(op, model)
        return withMode(model, parameters, training, () => fn(source.batch(argument), parameters))
      }),
    ),
  )
  return (argument) => {
    random.draws = 0
    return run(argument)
  }
}

/** Calls a function with the input of a batch, recorded for the sake of its shapes alone: nothing of it is computed. */
export function withInput<R>({ source, seed }: Settings, argument: Argument, fn: (x: unknown) => R): R {
  let result: R
  compile((argument: Argument): void => {
    const { x } = randomStream(seed).run(() => source.batch(argument))
    result = fn(x)
  }).program(argument)
  return result!
}

/** The single tensor that a batch has as its input, if it is one. */
export const inputOf = ({ x }: StepBatch): Tensor | undefined =>
  typeof (x as Partial<Tensor>).matmul === 'function' ? (x as Tensor) : undefined
