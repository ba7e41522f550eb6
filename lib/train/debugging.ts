/** Small helpers that look at a training before it is begun in earnest; the model is afterwards as it was. */
import { checkFunction, checkInteger, checkNumber } from '../base/arguments.ts'
import { expected } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import type { Batch } from '../data/dataset.ts'
import type { Minimizer } from '../optim/minimizer.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { loadModel, modelState } from './model-state.ts'
import {
  type AnyData,
  type AnyTrainable,
  type FitOptions,
  settingsOf,
  type Trainable,
  type TrainingData,
} from './options.ts'
import type { Crossing } from './source.ts'
import { trainingStep } from './steps.ts'

type Shared<P, Y extends Batch> = Pick<FitOptions<P, Y>, 'loss' | 'lossWeights' | 'classWeights' | 'batchSize' | 'seed'>

export interface LrFinderOptions<Prediction = Tensor, Target extends Batch = Tensor>
  extends Shared<Prediction, Target> {
  /** Makes the optimizer, which is used for this alone. */
  optimizer: (learningRate: number) => Minimizer
  /** The first learning rate, and the last one; 1e-7 and 10 unless given. */
  from?: number
  to?: number
  /** How many steps; 100 unless given. */
  steps?: number
}

export interface LrFinderResult {
  /** Of each step that was taken: the rate, and the loss before the step. */
  learningRates: number[]
  losses: number[]
  /** Where the loss falls most for a rise of the rate, NaN where it never falls. */
  suggestion: number
}

const sharedOptions = {
  loss: 'other',
  lossWeights: 'other',
  classWeights: 'other',
  batchSize: 'number',
  seed: 'number',
} as const
const lrFinderOptions: OptionTypes<LrFinderOptions> = {
  ...sharedOptions,
  optimizer: 'function',
  from: 'number',
  to: 'number',
  steps: 'number',
}

/** Takes steps one by one; `next` gives the batch of each, and `before` and `after` say what is to be done then, and whether to go on. */
async function takeSteps(
  op: string,
  [model, data, options]: readonly [AnyTrainable, AnyData, object],
  next: (read: () => Promise<Crossing>, i: number) => Promise<Crossing>,
  before: (i: number) => void,
  after: (loss: number) => boolean,
): Promise<void> {
  const settings = settingsOf(op, model, data, options as never)
  const { source, seed } = settings
  await source.load()
  const step = trainingStep(settings)
  const state = modelState(model)
  let epoch = 0
  let feed = await source.feed(settings, { epoch, step: 0, seed })
  const read = async (): Promise<Crossing> => {
    const found = await feed.next(1)
    if (found !== null) return found
    await feed.close()
    feed = await source.feed(settings, { epoch: ++epoch, step: 0, seed })
    return read()
  }
  try {
    for (let i = 0, goesOn = true; goesOn; i++) {
      const { argument, steps } = await next(read, i)
      before(i)
      const { loss } = await (steps === undefined ? step.run(argument) : step.run.scan(argument))
      goesOn = after((await loss.data())[0]!)
    }
  } finally {
    await feed.close()
    await source.close()
    loadModel(model, state)
  }
}

/** How much of the loss so far is kept in the smoothed one. */
const smoothing = 0.9

/**
 * Trains for some steps while the learning rate grows from step to step by the same factor, and says where the loss fell most
 * (L. N. Smith 2015, https://arxiv.org/abs/1506.01186; fastai's lr_find). It ends early where the loss is more than four times the least. The model is
 * then what it was before.
 *
 * @throws (rejects with) what `fit` does for options, a model or data that do not fit
 *
 * @example
 * const { suggestion } = await lrFinder(model, dataset, {
 *   loss: 'crossEntropy',
 *   optimizer: (learningRate) => optim.adam({ learningRate }),
 * })
 */
export async function lrFinder<X extends Batch = Tensor, Y extends Batch = Tensor, Prediction = Tensor>(
  model: Trainable<NoInfer<X>, Prediction>,
  data: TrainingData<X, Y>,
  options: LrFinderOptions<Prediction, Y>,
  ...surplus: []
): Promise<LrFinderResult> {
  const op = 'lrFinder'
  const {
    optimizer: make,
    from = 1e-7,
    to = 10,
    steps = 100,
    ...rest
  } = checkOptions(op, options, lrFinderOptions, surplus)
  checkFunction(op, 'a function of the learning rate that makes an optimizer', make)
  checkNumber(op, 'a learning rate above 0 as from', from, (x) => x > 0 && Number.isFinite(x))
  checkNumber(op, 'a learning rate above from as to', to, (x) => x > from && Number.isFinite(x))
  checkInteger(op, 'an integer of steps of at least 2', steps, 2, 1e6)
  const optimizer = make!(from)
  const result: LrFinderResult = { learningRates: [], losses: [], suggestion: Number.NaN }
  const smooth: number[] = []
  let mean = 0
  await takeSteps(
    op,
    [model, data as AnyData, { ...rest, optimizer }],
    (read) => read(),
    (i) => {
      optimizer.learningRate = from * (to / from) ** (i / (steps - 1))
      result.learningRates.push(optimizer.learningRate)
    },
    (loss) => {
      result.losses.push(loss)
      mean = smoothing * mean + (1 - smoothing) * loss
      smooth.push(mean / (1 - smoothing ** result.losses.length))
      const last = smooth.at(-1)!
      return result.losses.length < steps && Number.isFinite(last) && last <= 4 * Math.min(...smooth)
    },
  )
  return { ...result, suggestion: steepest(result.learningRates, smooth) }
}

/** The rate after which the loss falls most; of equal steps of its logarithm. */
function steepest(rates: readonly number[], losses: readonly number[]): number {
  const falls = losses.slice(1).map((loss, i) => losses[i]! - loss)
  const most = Math.max(...falls.filter(Number.isFinite))
  return most > 0 ? rates[falls.indexOf(most)]! : Number.NaN
}

export interface OverfitOptions<Prediction = Tensor, Target extends Batch = Tensor> extends Shared<Prediction, Target> {
  /** Makes the optimizer, which is used for this alone. */
  optimizer: () => Minimizer
  /** How many steps; 100 unless given. */
  steps?: number
}

const overfitOptions: OptionTypes<OverfitOptions> = { ...sharedOptions, optimizer: 'function', steps: 'number' }

/**
 * Trains on one batch alone, again and again: a model that is wired as it should be gets its loss near 0. The model is then what it was
 * before (Lightning's `overfit_batches`).
 *
 * @returns the loss of each step, before its update
 * @throws (rejects with) what `fit` does for options, a model or data that do not fit
 *
 * @example
 * const losses = await overfitOneBatch(model, dataset, { loss: 'crossEntropy', optimizer: () => optim.adam() })
 */
export async function overfitOneBatch<X extends Batch = Tensor, Y extends Batch = Tensor, Prediction = Tensor>(
  model: Trainable<NoInfer<X>, Prediction>,
  data: TrainingData<X, Y>,
  options: OverfitOptions<Prediction, Y>,
  ...surplus: []
): Promise<number[]> {
  const op = 'overfitOneBatch'
  const { optimizer: make, steps = 100, ...rest } = checkOptions(op, options, overfitOptions, surplus)
  checkFunction(op, 'a function that makes an optimizer', make)
  checkInteger(op, 'an integer of steps of at least 1', steps, 1, 1e6)
  const losses: number[] = []
  let batch: Crossing | undefined
  await takeSteps(
    op,
    [model, data as AnyData, { ...rest, optimizer: make!() }],
    async (read) => {
      batch ??= await read()
      return batch
    },
    () => {},
    (loss) => losses.push(loss) < steps && Number.isFinite(loss),
  )
  if (losses.some((loss) => !Number.isFinite(loss)))
    throw new Error(expected(op, 'losses that are finite', losses.at(-1)))
  return losses
}
