/** What happens in training, as plain data: what callbacks are told, and what `train` gives one after the other. */
import type { History } from './history.ts'
import type { Scores } from './scores.ts'

/** Of a training that begins, or goes on. */
export interface TrainInfo {
  /** How many epochs it is to have had at its end. */
  epochs: number
  /** The epoch that comes first, from 0: another one than 0 where a training is resumed. */
  epoch: number
}

export interface EpochBeginInfo {
  /** From 0. */
  epoch: number
}

/** One step: its loss, and its metrics, taken before its update. */
export type StepInfo = Scores & {
  /** From 0. */
  epoch: number
  /** From 1, within the epoch. */
  step: number
  /** The rows in it. */
  samples: number
}

/** The means of an epoch so far. */
export type BatchInfo = Scores & {
  /** From 0. */
  epoch: number
  /** The steps done in this epoch, of how many (Infinity where nobody knows), and the rows in them. */
  step: number
  steps: number
  samples: number
}

/** The means of the validation set. */
export type ValidationInfo = Scores & {
  /** From 0: the epoch that it comes after. */
  epoch: number
}

/** The means of an epoch's steps, each taken before its update. */
export type EpochInfo = Scores & {
  /** From 0. */
  epoch: number
  /** Of training, without the validation. */
  seconds: number
  /** Of a stream the share of that time, from 0 to 1, in which no step was under way as the next batch was not there yet. */
  waiting?: number
  /** The means of the validation set after the epoch. */
  validation?: Scores
}

export interface TrainEndInfo {
  history: History
}

/** By the names of events, which those of hooks are made of: `onEpochEnd` is called for `epochEnd`. */
export interface TrainEvents {
  trainBegin: TrainInfo
  epochBegin: EpochBeginInfo
  stepEnd: StepInfo
  batchEnd: BatchInfo
  validationEnd: ValidationInfo
  epochEnd: EpochInfo
  trainEnd: TrainEndInfo
}

/** One of them, with its name as its `type`. */
export type TrainEvent = { [Name in keyof TrainEvents]: { type: Name } & TrainEvents[Name] }[keyof TrainEvents]

export const eventOf = <Name extends keyof TrainEvents>(type: Name, info: TrainEvents[Name]): TrainEvent =>
  // Scores say of any other name that it is of a number.
  ({ type, ...info }) as unknown as TrainEvent
