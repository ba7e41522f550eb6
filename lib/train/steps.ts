/** The compiled steps: from a batch to its loss and the sums of its metrics, with an update or without. */
import { checkList, describe } from '../base/arguments.ts'
import { expected, GradientError, ShapeError } from '../base/errors.ts'
import { withMode } from '../nn/module.ts'
import { SingleValueError } from '../nn/normalization.ts'
import type { HasNamedParameters } from '../optim/parameters.ts'
import { otherVariables } from '../optim/reach.ts'
import { tensor } from '../tensor/creation.ts'
import { type RandomStream, randomStream } from '../tensor/random.ts'
import { Tensor } from '../tensor/tensor.ts'
import { Variable } from '../tensor/variable.ts'
import { type Compiled, compile } from '../transforms/compile.ts'
import { withPrecision } from '../transforms/precision.ts'
import { checkedWeights } from './loss.ts'
import type { AnyTrainable, Settings } from './options.ts'
import { type StepResult, stepResult } from './scores.ts'
import { type Argument, RowSource, type Source } from './source.ts'
import { watchSteps } from './watching.ts'

/** From what a source gives of a batch to the batch's loss and what it adds to the metrics. */
export interface Step {
  readonly run: Compiled<[argument: Argument], StepResult>
  /** The random numbers of its runs. */
  readonly random: RandomStream
}

export function trainingStep(settings: Settings): Step {
  const { op, model, source, loss, metrics, precision } = settings
  const { optimizer, watched } = watchSteps(settings.optimizer, settings.watching)
  return compileWithSeed(settings.seed, (argument) => {
    const { x, y, rows, ...batch } = source.batch(argument)
    const weights = checkedWeights(op, batch.weights)
    // Asked for at each recording, as parts may have been frozen or unfrozen meanwhile.
    const parameters = parametersOf(op, model).filter(({ trainable }) => trainable)
    return withMode(model, parameters, true, () => {
      const prediction = withPrecision(precision, () => model.forward(x as never))
      const batchLoss = loss.of(prediction, y, weights)
      const named = namesOf(model, parameters)
      const total = optimizer.minimize(() => checkedLoss(op, batchLoss.total, parameters), named)
      const result = stepResult(op, metrics, { ...batchLoss, total }, { prediction, target: y, weights, rows })
      return { ...result, watched: watched() }
    })
  })
}

export function scoringStep(
  source: Source,
  settings: Pick<Settings, 'op' | 'model' | 'loss' | 'metrics' | 'seed' | 'watching'>,
): Step {
  const { op, model, loss, metrics, watching } = settings
  return compileWithSeed(settings.seed, (argument) => {
    return withMode(model, parametersOf(op, model), false, () => {
      // Here, so that augmentations among the maps leave the rows as they are.
      const { x, y, rows, ...batch } = source.batch(argument)
      const weights = checkedWeights(op, batch.weights)
      const prediction = model.forward(x as never)
      const result = stepResult(op, metrics, loss.of(prediction, y, weights), { prediction, target: y, weights, rows })
      return { ...result, watched: watching.map((each) => each.rows?.({ prediction, target: y, rows }) ?? {}) }
    })
  })
}

function compileWithSeed<R>(seed: number, step: (argument: Argument) => R) {
  const random = randomStream(seed)
  return { random, run: compile((argument: Argument) => random.run(() => step(argument))) }
}

export function parametersOf(op: string, model: AnyTrainable): readonly Variable[] {
  const parameters = checkList(op, 'a list of variables from parameters() of the model', model.parameters())
  for (const x of parameters)
    if (!(x instanceof Variable))
      throw new TypeError(expected(op, 'variables from parameters() of the model', describe(x)))
  return parameters
}

/** Parameters by the names that the model gives them, or by their numbers: the optimizer's state has them. */
export function namesOf(model: AnyTrainable, parameters: readonly Variable[]): Record<string, Variable> {
  const { namedParameters } = model as Partial<HasNamedParameters>
  const found = typeof namedParameters === 'function' ? Object.entries(namedParameters.call(model)) : []
  const names = new Map(found.map(([name, variable]) => [variable, name]))
  return Object.fromEntries(parameters.map((variable, i) => [names.get(variable) ?? String(i), variable]))
}

/** A variable that the loss depends on and the model does not give would never learn. */
function checkedLoss(op: string, loss: Tensor, parameters: readonly Variable[]): Tensor {
  if (!(loss instanceof Tensor)) throw new TypeError(expected(op, 'a loss that gives a tensor', describe(loss)))
  const [missing] = otherVariables(loss, parameters)
  if (missing === undefined) return loss
  throw new GradientError(
    `${op}: the loss depends on ${missing}, which is not among the parameters() of the model: a module in a private field is not found; ` +
      'what is not to be trained is frozen, or made with trainable: false',
  )
}

/** Ends the recording of a step that is not to be prepared. */
const recorded = new Error('recorded')

/**
 * Records the model on a single row, where a step will be of one: batch normalization cannot take that, and says so here
 * before anything is trained. What else is wrong with the model its steps will say.
 */
export function checkSingleRow({ op, model, source, batchSize, dropLast, seed }: Settings): void {
  if (!(source instanceof RowSource)) return
  const { size } = source.dataset
  const left = batchSize === 1 || size === 1 ? 1 : dropLast ? 0 : size % batchSize
  if (left !== 1) return
  const step = compileWithSeed(seed, (rows): Tensor => {
    const { x } = source.batch(rows as Tensor)
    withMode(model, parametersOf(op, model), true, () => model.forward(x as never))
    throw recorded
  })
  try {
    step.run.program(tensor([0], { dtype: 'int32' }))
  } catch (error) {
    if (!(error instanceof SingleValueError)) return
    const batches = `${size} rows in batches of ${batchSize}, of which one has a single row`
    throw new ShapeError(
      `${expected(op, 'more than one row in each batch for batch normalization', batches)}; see dropLast`,
    )
  }
}
