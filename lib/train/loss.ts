/** The loss of a training: of one output or of several by name, and of rows that count differently. */
import { checkFunction, checkNumber, describe } from '../base/arguments.ts'
import { DTypeError, expected, ShapeError } from '../base/errors.ts'
import { checkRecord, isPlainObject } from '../base/options.ts'
import { formatShape, sameShape } from '../base/shape.ts'
import * as losses from '../losses/index.ts'
import { tensor } from '../tensor/creation.ts'
import { Tensor, type TensorLike, toTensor } from '../tensor/tensor.ts'
import { byName, type LossName, lossesByName, ofTensors } from './names.ts'

/** The mean loss of a batch, a scalar. Where rows have weights, those are its third argument. */
export type LossFunction<Prediction = Tensor, Target = Tensor> = (
  prediction: Prediction,
  target: Target,
  ...weights: never[]
) => Tensor

/** Of the outputs of a model, each under its name. */
export type LossesByOutput = Readonly<Record<string, LossName | LossFunction>>

/** Weights by class: `[1, 5]`, or those that are not 1 under their class: `{ 1: 5 }`. */
export type ClassWeights = TensorLike | Readonly<Record<number, number>>

export interface LossSettings {
  readonly loss: LossName | LossFunction<never, never> | LossesByOutput
  readonly lossWeights?: Readonly<Record<string, number>> | undefined
  readonly classWeights?: ClassWeights | undefined
}

/** The loss of a batch as a step records it. */
export interface BatchLoss {
  readonly total: Tensor
  /** What the rows in the mean weigh together; as many as there are unless given. */
  readonly weight: Tensor | undefined
  /** Those of single outputs, in the order of `names`. */
  readonly terms: readonly Tensor[]
}

export interface TrainingLoss {
  /** What a checkpoint compares. */
  readonly title: string
  /** Of what is reported beside the whole: `loss.label`. */
  readonly names: readonly string[]
  of(prediction: unknown, target: unknown, weights: Tensor | undefined): BatchLoss
}

type AnyFunction = (prediction: unknown, target: unknown, ...rest: unknown[]) => Tensor

/** Losses of the library give those of single rows, too. */
const known: ReadonlySet<unknown> = new Set(Object.values(losses))

interface Single {
  readonly title: string
  of(prediction: unknown, target: unknown, weights: Tensor | undefined): Tensor
}

function single(op: string, loss: LossName | LossFunction<never, never>): Single {
  const isName = typeof loss === 'string'
  const found = (isName ? byName(op, 'a loss, a name or a function', loss, lossesByName) : loss) as AnyFunction
  checkFunction(op, 'a loss, such as losses.crossEntropy', found)
  const call: AnyFunction = isName ? (ofTensors(op, `loss ${loss}`, found) as AnyFunction) : found
  return {
    title: found.name,
    of(prediction, target, weights) {
      if (weights === undefined) return call(prediction, target)
      if (!known.has(found)) return call(prediction, target, weights)
      return weightedMean(op, call(prediction, target, { reduction: 'none' }), weights)
    },
  }
}

/** Σ w·l / Σ w over the rows, of each of which a loss of several elements is their mean; 0 where nothing weighs anything. */
function weightedMean(op: string, rows: Tensor, weights: Tensor): Tensor {
  const inner = Array.from({ length: Math.max(0, rows.ndim - weights.ndim) }, (_, i) => weights.ndim + i)
  const each = inner.length > 0 ? rows.mean(inner) : rows
  if (!sameShape(each.shape, weights.shape))
    throw new ShapeError(expected(op, `weights of shape ${formatShape(each.shape)}`, formatShape(weights.shape)))
  const sum = weights.sum()
  return each.mul(weights.cast(each.dtype)).sum().div(sum.equal(0).where(1, sum))
}

/** Of each row that of its class. */
function weightsOfClasses(op: string, prediction: unknown, target: unknown, given: ClassWeights): Tensor {
  if (!(target instanceof Tensor) || (target.dtype !== 'int32' && target.dtype !== 'uint8'))
    throw new DTypeError(expected(op, 'classes as int32 or uint8 as target for classWeights', target))
  if (!isPlainObject(given)) return toTensor(op, given as TensorLike).gather(target.cast('int32'))
  const entries = Object.entries(given as Readonly<Record<string, number>>).map(([key, x]) => [Number(key), x] as const)
  const classes = prediction instanceof Tensor && prediction.ndim > target.ndim ? (prediction.shape.at(-1) ?? 0) : 0
  const table = new Float32Array(Math.max(classes, 1, ...entries.map(([key]) => key + 1))).fill(1)
  for (const [key, weight] of entries) table[key] = weight
  return tensor(table).gather(target.cast('int32'))
}

function checkClassWeights(op: string, given: ClassWeights): void {
  if (!isPlainObject(given)) {
    const { ndim } = toTensor(op, given as TensorLike)
    if (ndim !== 1) throw new ShapeError(expected(op, 'classWeights of shape [classes]', `rank ${ndim}`))
  }
  for (const [key, weight] of Object.entries(listed(op, given))) {
    if (!/^\d{1,6}$/.test(key)) throw new TypeError(expected(op, 'classWeights by class, from 0 on', describe(key)))
    checkNumber(op, 'finite classWeights of at least 0', weight, (x) => x >= 0 && Number.isFinite(x))
  }
}

/** By class, or one after the other. */
const listed = (op: string, given: ClassWeights): Readonly<Record<string, number>> | readonly number[] =>
  isPlainObject(given)
    ? (given as Readonly<Record<string, number>>)
    : (toTensor(op, given as TensorLike).arraySync() as number[])

/** The product of both, the one of rows also where the other has more axes. */
function product(a: Tensor | undefined, b: Tensor | undefined): Tensor | undefined {
  if (a === undefined || b === undefined) return a ?? b
  const [long, short] = a.ndim >= b.ndim ? [a, b] : [b, a]
  return long.mul(short.reshape([...short.shape, ...long.shape.slice(short.ndim).map(() => 1)]))
}

/** @throws TypeError for weights of a batch that are several tensors */
export function checkedWeights(op: string, weights: unknown): Tensor | undefined {
  if (weights === undefined || weights instanceof Tensor) return weights?.cast('float32')
  throw new TypeError(expected(op, 'a tensor as weights', describe(weights)))
}

/** @throws TypeError, RangeError for losses and weights that do not fit each other */
export function trainingLoss(op: string, { loss, lossWeights, classWeights }: LossSettings): TrainingLoss {
  if (isPlainObject(loss)) return lossByOutput(op, loss as LossesByOutput, lossWeights, classWeights)
  if (lossWeights !== undefined) throw new TypeError(expected(op, 'losses by name for lossWeights', 'a single loss'))
  if (classWeights !== undefined) checkClassWeights(op, classWeights)
  const { title, of } = single(op, loss as LossName | LossFunction<never, never>)
  return {
    get title() {
      return classWeights === undefined ? title : `${title}, classWeights ${JSON.stringify(listed(op, classWeights))}`
    },
    names: [],
    of(prediction, target, given) {
      const classes = classWeights === undefined ? undefined : weightsOfClasses(op, prediction, target, classWeights)
      const weights = product(given, classes)
      return { total: of(prediction, target, weights), weight: weights?.sum(), terms: [] }
    },
  }
}

function lossByOutput(
  op: string,
  losses: LossesByOutput,
  lossWeights: Readonly<Record<string, number>> = {},
  classWeights: ClassWeights | undefined,
): TrainingLoss {
  if (classWeights !== undefined) throw new TypeError(expected(op, 'a single loss for classWeights', 'losses by name'))
  const entries = Object.entries(losses).map(([name, loss]) => ({ name, loss: single(op, loss) }))
  if (entries.length === 0) throw new TypeError(expected(op, 'at least one loss', 'none'))
  for (const [name, weight] of Object.entries(checkRecord(op, 'lossWeights, numbers by name', lossWeights))) {
    if (!Object.hasOwn(losses, name))
      throw new RangeError(expected(op, `lossWeights of ${Object.keys(losses).join(', ')}`, name))
    checkNumber(op, 'finite lossWeights', weight, Number.isFinite)
  }
  return {
    title: entries.map(({ name, loss }) => `${name}: ${loss.title} · ${lossWeights[name] ?? 1}`).join(', '),
    names: entries.map(({ name }) => `loss.${name}`),
    of(prediction, target, weights) {
      const terms = entries.map(({ name, loss }) =>
        loss.of(output(op, 'prediction', prediction, name), output(op, 'target', target, name), weights),
      )
      const scaled = entries.map(({ name }, i) => terms[i]!.mul(lossWeights[name] ?? 1))
      return { total: scaled.reduce((a, b) => a.add(b)), weight: weights?.sum(), terms }
    },
  }
}

/** One of several predictions or targets by name. */
export function output(op: string, what: string, parts: unknown, name: string): unknown {
  if (isPlainObject(parts) && Object.hasOwn(parts, name)) return (parts as Record<string, unknown>)[name]
  const got = isPlainObject(parts) ? `one with ${Object.keys(parts as object).join(', ')}` : describe(parts)
  throw new TypeError(expected(op, `a ${what} with ${name} for the losses and metrics of that name`, got))
}
