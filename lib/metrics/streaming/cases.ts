/** Predictions and labels as the metrics of classes read them: one case after the other. */
import { checkInteger } from '../../base/arguments.ts'
import { isFloat } from '../../base/dtype.ts'
import { DTypeError, expected, ShapeError } from '../../base/errors.ts'
import type { OptionTypes } from '../../base/options.ts'
import { extentAt, formatShape, normalizeAxis, sameShape } from '../../base/shape.ts'
import { asFloat, checkFraction } from '../../losses/common.ts'
import { moveAxis } from '../../operations/rearrange.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { checkTensors, flatWeights, type NameOption, nameOption } from './common.ts'

/** What predictions are: logits, probabilities, or for what needs no scores the classes themselves. */
export type From = 'logits' | 'probabilities'

/**
 * `'multiclass'`: one of several classes; labels are integers[…], or one-hot or probability rows of the shape of the predictions[…, classes].
 * `'binary'`: yes or no for each element. `'multilabel'`: yes or no for each of several labels[…, labels], which are looked at one by one.
 */
export type Task = 'binary' | 'multiclass' | 'multilabel'

export interface TaskOptions extends NameOption {
  /**
   * `'multiclass'` where the labels have an axis less than the predictions, and else `'binary'`, unless given. Labels that are one-hot
   * rows have to be said to be so: `task: 'multiclass'`.
   */
  task?: Task
  /** The axis of the classes in predictions (and in labels that are rows); the last one unless given. 1 for images [n, classes, …]. */
  axis?: number
  /** The class of cases that do not count, among integer labels. */
  ignoreIndex?: number
}

export interface ScoreOptions extends TaskOptions {
  /** What predictions are; `'logits'` unless given. */
  from?: From
}

export interface DecisionOptions extends TaskOptions {
  /** What predictions are; `'logits'` unless given. `'labels'`: yes or no, or integers of as many classes as `classes` says. */
  from?: From | 'labels'
  /** The probability above which the answer is yes, where it is yes or no; ½ unless given. */
  threshold?: number
  /** How many classes there are, for predictions that are labels. */
  classes?: number
}

const taskOptions: OptionTypes<TaskOptions> = {
  ...nameOption,
  task: ['binary', 'multiclass', 'multilabel'],
  axis: 'number',
  ignoreIndex: 'number',
}

export const scoreOptions: OptionTypes<ScoreOptions> = { ...taskOptions, from: ['logits', 'probabilities'] }

export const decisionOptions: OptionTypes<DecisionOptions> = {
  ...taskOptions,
  from: ['logits', 'probabilities', 'labels'],
  threshold: 'number',
  classes: 'number',
}

/** @throws TypeError, RangeError for numbers that are no such options, before there is any data */
export function checkDecisions(op: string, { threshold, classes, ...rest }: DecisionOptions): void {
  checkTask(op, rest)
  if (threshold !== undefined) checkFraction(op, 'threshold', threshold)
  if (classes !== undefined) checkInteger(op, 'classes, an integer of at least 2', classes, 2)
}

export function checkTask(op: string, { axis, ignoreIndex }: TaskOptions): void {
  if (axis !== undefined) checkInteger(op, 'an integer axis', axis)
  if (ignoreIndex !== undefined) checkInteger(op, 'an integer as ignoreIndex', ignoreIndex)
}

/** Predictions and labels with the classes on the last axis, and what they are. */
export interface Given {
  readonly task: Task
  readonly prediction: Tensor
  readonly target: Tensor
  /** The shape of the cases: without the classes, where there are several. */
  readonly shape: readonly number[]
}

/** @param same the task where labels have the shape of the predictions */
export function givenOf(op: string, x: Tensor, y: Tensor, options: TaskOptions, same: Task = 'binary'): Given {
  const [prediction, target] = checkTensors(op, x, y)
  const { axis = -1 } = options
  const isSame = sameShape(prediction.shape, target.shape)
  const task = options.task ?? (isSame ? (prediction.ndim < 2 ? 'binary' : same) : 'multiclass')
  if (task === 'binary') return { task, prediction, target: sameAs(op, prediction, target), shape: prediction.shape }
  if (prediction.ndim === 0) throw new ShapeError(expected(op, 'predictions […, classes]', formatShape([])))
  const along = normalizeAxis(op, axis, prediction.ndim)
  const last = (t: Tensor): Tensor => (along === t.ndim - 1 ? t : moveAxis(t, along, -1))
  const moved = last(prediction)
  const shape = moved.shape.slice(0, -1)
  if (moved.shape.at(-1) === 0)
    throw new ShapeError(expected(op, 'predictions of at least one class', formatShape(prediction.shape)))
  if (task === 'multilabel') refuseIgnoreIndex(op, options)
  if (isSame || task === 'multilabel')
    return { task, prediction: moved, target: last(sameAs(op, prediction, target)), shape }
  return { task, prediction: moved, target: classLabels(op, moved, target), shape }
}

/** @throws DTypeError for an ignoreIndex where labels are no single classes, of which it could be one */
export function refuseIgnoreIndex(op: string, { ignoreIndex }: TaskOptions): void {
  if (ignoreIndex !== undefined)
    throw new DTypeError(expected(op, 'labels that are single classes with an ignoreIndex', 'several for each case'))
}

function sameAs(op: string, { shape }: Tensor, target: Tensor): Tensor {
  if (sameShape(shape, target.shape)) return target
  throw new ShapeError(expected(op, `labels of shape ${formatShape(shape)}`, formatShape(target.shape)))
}

function classLabels(op: string, { shape }: Tensor, target: Tensor): Tensor {
  const cases = shape.slice(0, -1)
  if (!sameShape(target.shape, cases)) {
    const what = `labels of shape ${formatShape(cases)} (classes) or ${formatShape(shape)} (rows)`
    throw new ShapeError(expected(op, what, formatShape(target.shape)))
  }
  return integers(op, target)
}

function integers(op: string, labels: Tensor): Tensor {
  if (isFloat(labels.dtype) || labels.dtype === 'bool')
    throw new DTypeError(expected(op, 'classes as int32 or uint8', labels.toString()))
  return labels.cast('int32')
}

/** x[…, classes] as [cases, classes]. */
export function rowsOf(x: Tensor): Tensor {
  const classes = extentAt(x.shape, -1)
  return x.reshape([x.size / classes, classes])
}

/** Yes or no: a target is yes above ½. */
export const isYes = (target: Tensor): Tensor => (target.dtype === 'bool' ? target : target.greater(0.5))

/** The class of each case, and how often it counts: that of `ignoreIndex` not at all, so that any class may stand for it. */
export interface LabelledCases {
  /** int32[cases] */
  readonly labels: Tensor
  /** [cases]; undefined where each counts once */
  readonly weights: Tensor | undefined
}

export function labelledCases(
  op: string,
  labels: Tensor,
  weights: Tensor | undefined,
  { ignoreIndex }: TaskOptions,
): LabelledCases {
  const w = flatWeights(op, weights, labels.shape)
  const flat = labels.flatten()
  if (ignoreIndex === undefined) return { labels: flat, weights: w }
  const kept = flat.notEqual(ignoreIndex)
  return { labels: kept.where(flat, 0), weights: w === undefined ? kept.cast('int32') : kept.where(w, 0) }
}

/** What was decided in each case, and what is right. */
export interface Decisions {
  readonly task: Task
  /** int32[cases], or bool[cases, labels] for the task multilabel. */
  readonly found: Tensor
  readonly actual: Tensor
  readonly weights: Tensor | undefined
  /** How many classes there are: two for yes and no. Of multilabel the labels. */
  readonly classes: number
}

/** log(p / (1 − p)), which a logit is above where its probability is above p. */
const logit = (p: number): number => Math.log(p / (1 - p))

export function decisionsOf(
  op: string,
  x: Tensor,
  y: Tensor,
  weights: Tensor | undefined,
  options: DecisionOptions,
  same: Task = 'binary',
): Decisions {
  const { from = 'logits', threshold = 0.5, classes } = options
  if (from === 'labels' && classes !== undefined) return decidedClasses(op, x, y, weights, options, classes)
  const { task, prediction, target, shape } = givenOf(op, x, y, options, same)
  const yes = (t: Tensor): Tensor =>
    from === 'logits' ? asFloat(t).greater(logit(threshold)) : from === 'labels' ? isYes(t) : t.greater(threshold)
  if (task === 'binary') {
    const labels = labelledCases(op, targetOf(target, options), weights, options)
    return {
      task,
      found: yes(prediction).cast('int32').flatten(),
      actual: labels.labels,
      weights: labels.weights,
      classes: 2,
    }
  }
  const count = extentAt(prediction.shape, -1)
  if (task === 'multilabel') {
    const [found, actual] = [yes(prediction), isYes(target)].map(rowsOf) as [Tensor, Tensor]
    return { task, found, actual, weights: flatWeights(op, weights, shape), classes: count }
  }
  if (count < 2)
    throw new ShapeError(expected(op, "scores of at least two classes, or task 'binary'", formatShape(x.shape)))
  const { labels, weights: w } = labelledCases(op, classOf(target, prediction), weights, options)
  return { task, found: prediction.argmax(-1).flatten(), actual: labels, weights: w, classes: count }
}

/** 0 and 1 for no and yes, or what is to be ignored. */
const targetOf = (target: Tensor, { ignoreIndex }: TaskOptions): Tensor => {
  const yes = isYes(target).cast('int32')
  return ignoreIndex === undefined ? yes : target.equal(ignoreIndex).where(ignoreIndex, yes)
}

/** Labels as classes: rows are of the class of their greatest element. */
export const classOf = (target: Tensor, { ndim }: Tensor): Tensor => (target.ndim === ndim ? target.argmax(-1) : target)

function decidedClasses(
  op: string,
  x: Tensor,
  y: Tensor,
  weights: Tensor | undefined,
  options: DecisionOptions,
  classes: number,
): Decisions {
  const [prediction, target] = checkTensors(op, x, y)
  const actual = labelledCases(op, integers(op, sameAs(op, prediction, target)), weights, options)
  const found = integers(op, prediction).flatten()
  return { task: 'multiclass', found, actual: actual.labels, weights: actual.weights, classes }
}
