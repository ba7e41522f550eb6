/** What an online trainer may be told, and what it says of its rounds. */
import { checkFunction, checkInteger, checkNumber, describe } from '../base/arguments.ts'
import type { DType } from '../base/dtype.ts'
import { expected } from '../base/errors.ts'
import { checkOptions, type OptionTypes, requireOptions } from '../base/options.ts'
import type { Minimizer } from '../optim/minimizer.ts'
import type { LossFunction } from '../train/loss.ts'
import type { LossName } from '../train/names.ts'
import { checkOptimizer } from '../train/options.ts'
import type { RowShape } from './inputs.ts'
import { Predictor } from './predictor.ts'
import { checkpointSettings, type TrainerCheckpointOptions } from './trainer-checkpoints.ts'

export interface BufferOptions {
  /** Rows that are kept; 4096 unless given. */
  size?: number
  /** `reservoir`, which it is unless given, keeps each of all rows with the same probability; `recent` the last ones. */
  kind?: 'reservoir' | 'recent'
}

export interface OnlineTrainerOptions {
  /** What serves the model. */
  predictor: Predictor
  optimizer: Minimizer
  loss: LossName | LossFunction
  /** Of the target of a row; [], a number, unless given. */
  targetShape?: RowShape
  /** int32 unless given, as classes are. */
  targetDtype?: DType
  buffer?: BufferOptions
  /** A round of training begins after so many new rows; 64 unless given. */
  every?: number
  /** Steps of a round; as many as new rows make batches unless given, and at least one. */
  steps?: number
  /** Rows of a step; 32 unless given. */
  batchSize?: number
  /** The share of the time that training takes while it is under way, above 0 and up to 1; 0.25 unless given. */
  share?: number
  /** The share of rows that are never trained on but judge what was learned; 0.1 unless given. */
  holdOut?: number
  /** By how much the score may be worse, relatively, and be served all the same; 0 unless given. */
  tolerance?: number
  /** Versions that `rollback` may go back to, beside the first one, to which it always may; 8 unless given. */
  keep?: number
  /** Of which rows are held out, kept and drawn; 0 unless given. */
  seed?: number
  /** Files from which another process goes on by `restore`; none unless given. A write that fails is a warning of the process. */
  checkpoint?: TrainerCheckpointOptions
  /** Told after each round. What it throws is a warning of the process. */
  onRound?: (round: Round) => void
}

const onlineTrainerOptions: OptionTypes<OnlineTrainerOptions> = {
  predictor: 'other',
  optimizer: 'other',
  loss: 'other',
  targetShape: 'other',
  targetDtype: 'dtype',
  buffer: 'other',
  every: 'number',
  steps: 'number',
  batchSize: 'number',
  share: 'number',
  holdOut: 'number',
  tolerance: 'number',
  keep: 'number',
  seed: 'number',
  checkpoint: 'other',
  onRound: 'function',
}

export interface RollbackOptions {
  forget?: boolean
}

export const rollbackOptions: OptionTypes<RollbackOptions> = { forget: 'boolean' }

const bufferOptions: OptionTypes<BufferOptions> = { size: 'number', kind: ['reservoir', 'recent'] }

/** What came of a round. */
export interface Round {
  readonly steps: number
  /** The mean loss of its steps. */
  readonly loss: number
  /** The loss on the rows that are held out, of what is served and of what was learned; null while there are none. */
  readonly served: number | null
  readonly learned: number | null
  /**
   * `swapped`: it is served now; `kept back`: it is worse than what is served, and is trained on; `undone`: its loss was no finite number, and
   * model and optimizer are what they were when they were served last.
   */
  readonly outcome: 'swapped' | 'kept back' | 'undone'
  /** The version that is served. */
  readonly version: number
}

/** @throws TypeError, RangeError for options that do not fit */
export function checkedOptions(op: string, options: OnlineTrainerOptions) {
  const given = requireOptions(op, options, onlineTrainerOptions, ['predictor', 'optimizer', 'loss'])
  const {
    targetShape = [],
    targetDtype = 'int32',
    buffer,
    every = 64,
    steps,
    batchSize = 32,
    share = 0.25,
    holdOut = 0.1,
    tolerance = 0,
    keep = 8,
    seed = 0,
    checkpoint,
    onRound,
  } = given
  const { size = 4096, kind = 'reservoir' } = checkOptions(`${op}: buffer`, buffer, bufferOptions)
  if (!(given.predictor instanceof Predictor))
    throw new TypeError(expected(op, 'a predictor', describe(given.predictor)))
  checkOptimizer(op, given.optimizer)
  if (typeof given.loss !== 'string') checkFunction(op, 'a loss, a name or a function', given.loss)
  checkInteger(op, 'an integer size of the buffer of at least 1', size, 1)
  checkInteger(op, 'an integer of at least 1 as every', every, 1)
  if (steps !== undefined) checkInteger(op, 'an integer of at least 1 as steps', steps, 1)
  checkInteger(op, 'an integer batchSize of at least 1', batchSize, 1)
  checkNumber(op, 'a share above 0 and up to 1', share, (x) => x > 0 && x <= 1)
  checkNumber(op, 'a holdOut of at least 0 and below 1', holdOut, (x) => x >= 0 && x < 1)
  checkNumber(op, 'a finite tolerance of at least 0', tolerance, (x) => x >= 0 && Number.isFinite(x))
  checkInteger(op, 'an integer of at least 1 as keep', keep, 1)
  checkInteger(op, 'an integer seed', seed)
  return {
    ...{
      targetShape,
      targetDtype,
      size,
      kind,
      every,
      steps,
      batchSize,
      share,
      holdOut,
      tolerance,
      keep,
      seed,
      onRound,
    },
    checkpoint: checkpoint === undefined ? undefined : checkpointSettings(op, checkpoint),
  }
}
