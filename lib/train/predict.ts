/** What a model says of data. */
import { type Abortable, liveSignal, unlessAborted } from '../base/abort.ts'
import { checkInteger, describe } from '../base/arguments.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { elementAt } from '../base/lists.ts'
import { checkOptions, isPlainObject, type OptionTypes } from '../base/options.ts'
import { leavesOf, mapTree } from '../base/tree.ts'
import { type Batch, type Dataset, fromTensors } from '../data/dataset.ts'
import { Stream } from '../data/stream.ts'
import { withMode } from '../nn/module.ts'
import { concat } from '../operations/joining.ts'
import { randomStream } from '../tensor/random.ts'
import { evaluate, Tensor, type TensorLike } from '../tensor/tensor.ts'
import { type Compiled, compile } from '../transforms/compile.ts'
import { crossingsOf } from './loop.ts'
import { type AnyData, type AnyTrainable, checkData, checkModel, sourceOf, type Trainable } from './options.ts'
import { Pace, usualMilliseconds } from './pace.ts'
import { pipeline } from './pipeline.ts'
import type { Argument, Crossing, Source } from './source.ts'
import { parametersOf } from './steps.ts'

export interface PredictOptions {
  /** Rows per step; 32 unless given. */
  batchSize?: number
  /** Ends it soon after it is aborted. */
  signal?: Abortable | undefined
}

const predictOptions: OptionTypes<PredictOptions> = { batchSize: 'number', signal: 'other' }

type AnyRows = Dataset<Batch, Batch | undefined, Batch | undefined>

/** Rows for `predict`: a data set, of which targets are not looked at, or inputs by themselves. */
export type PredictData<X extends Batch> =
  | Dataset<X, undefined>
  | Dataset<X, Batch>
  | Dataset<X, Batch, Batch>
  | (X extends Tensor ? TensorLike : X)

/**
 * What a model gives for rows, batch by batch, in evaluation mode and off the event loop (Keras's `model.predict`): a tensor of as many rows, or
 * several in a list or by name, as the model gives them. Of a stream it is an iterator of what the model gives for each batch.
 *
 * @param data a data set or a stream, of which targets and weights are not looked at, or inputs by themselves
 * @throws (rejects with) TypeError, ShapeError where a model gives no tensors with a first axis of rows; the signal's reason
 *
 * @example
 * const logits = await predict(model, test, { batchSize: 256 })
 * for await (const logits of predict(model, stream)) console.log(await logits.argmax(-1).array())
 */
export function predict<X extends Batch = Tensor, Prediction = Tensor>(
  model: Trainable<NoInfer<X>, Prediction>,
  data: Stream<readonly [X]> | Stream<readonly [X, Batch]> | Stream<readonly [X, Batch, Batch]> | Stream<X>,
  options?: PredictOptions,
): AsyncGenerator<Prediction, void, void>
export function predict<X extends Batch = Tensor, Prediction = Tensor>(
  model: Trainable<NoInfer<X>, Prediction>,
  data: PredictData<X>,
  options?: PredictOptions,
): Promise<Prediction>
export function predict(
  model: AnyTrainable,
  given: unknown,
  options?: PredictOptions,
  ...surplus: []
): Promise<unknown> | AsyncGenerator<unknown, void, void> {
  const op = 'predict'
  const checked = checkOptions(op, options, predictOptions, surplus)
  checkModel(op, model)
  checkInteger(op, 'a batchSize that is an integer of at least 1', checked.batchSize ?? 32, 1)
  const data = dataOf(op, given)
  const batches = predictions(op, model, sourceOf(op, data, checked), checked)
  return data instanceof Stream ? batches : joined(op, batches)
}

function dataOf(op: string, given: unknown): AnyData {
  if (given instanceof Stream) return given
  const isRows = given instanceof Tensor || Array.isArray(given) || ArrayBuffer.isView(given) || isPlainObject(given)
  const inputs = Array.isArray(given) && given.some((x) => x instanceof Tensor) ? Object.assign({}, given) : given
  if (!isRows) return checkData(op, 'a data set', given as AnyRows)
  const rows = fromTensors(inputs as Tensor) as unknown as AnyRows
  // Several tensors in a list are one input.
  return inputs === given
    ? rows
    : rows.map(((x: Record<string, Tensor>) => [Object.values(x), Object.values(x)]) as never)
}

/** What the model gives for each batch. */
async function* predictions(
  op: string,
  model: AnyTrainable,
  source: Source,
  options: PredictOptions,
): AsyncGenerator<unknown, void, void> {
  const { batchSize = 32 } = options
  const signal = liveSignal(op, options)
  await unlessAborted(signal, source.load())
  const random = randomStream()
  const run: Compiled<[argument: Argument], unknown> = compile((argument: Argument) =>
    random.run(() => withMode(model, parametersOf(op, model), false, () => forward(op, model, source, argument))),
  )
  const feed = await source.feed(
    { batchSize, signal, dropLast: false, stepsPerEpoch: undefined },
    { epoch: 0, step: 0 },
  )
  const pace = new Pace(usualMilliseconds)
  const submit = ({ argument, steps }: Crossing) => (steps === undefined ? run(argument) : run.scan(argument))
  try {
    for await (const { result, item } of pipeline(crossingsOf(feed, pace, { signal }), submit)) {
      pace.ended(item.steps ?? 1)
      yield item.steps === undefined ? result : mapTree(op, result, (x) => flattened(x as Tensor))
      pace.resume()
    }
  } finally {
    await feed.close()
  }
}

/** Of steps along the first axis the rows of all of them. */
const flattened = (x: Tensor): Tensor => x.reshape([x.shape[0]! * x.shape[1]!, ...x.shape.slice(2)])

function forward(op: string, model: AnyTrainable, source: Source, argument: Argument): unknown {
  const { x, rows } = source.batch(argument)
  const prediction = model.forward(x as never)
  for (const [, leaf] of leavesOf(op, '', prediction)) {
    if (!(leaf instanceof Tensor)) throw new TypeError(expected(op, 'a model that gives tensors', describe(leaf)))
    if (leaf.shape[0] !== rows)
      throw new ShapeError(expected(op, `${rows} rows from the model, as many as it got`, leaf))
  }
  return prediction
}

/** All batches as one. */
async function joined(op: string, batches: AsyncIterable<unknown>): Promise<unknown> {
  const all: unknown[] = []
  for await (const batch of batches) all.push(batch)
  const leaves = all.map((batch) => leavesOf(op, '', batch).map(([, leaf]) => leaf as Tensor))
  let i = 0
  const result = mapTree(op, all[0], () => {
    const parts = leaves.map((each) => elementAt(each, i))
    i++
    return concat(parts, 0)
  })
  await evaluate(...leavesOf(op, '', result).map(([, leaf]) => leaf as Tensor))
  return result
}
