/** What a predictor and a request may be told, and what is made of it. */
import type { Abortable } from '../base/abort.ts'
import { checkBoolean, checkInteger, checkList, checkNumber } from '../base/arguments.ts'
import type { DType } from '../base/dtype.ts'
import { type OptionTypes, requireOptions } from '../base/options.ts'
import type { LengthOptions, RowShape } from './inputs.ts'
import type { OutputOptions } from './outputs.ts'
import { checkTelemetry, type TelemetryOptions } from './telemetry.ts'

export interface PredictorOptions extends LengthOptions {
  /** The shape of one row, `[784]`; of a model of several inputs by name. A first extent of null is as long as a row says. */
  inputShape: RowShape | Readonly<Record<string, RowShape>>
  /** float32 unless given; of several inputs by name. */
  inputDtype?: DType | Readonly<Record<string, DType>>
  /** Rows per batch at most; 64 unless given. */
  maxBatch?: number
  /** Milliseconds that a row waits for others while nothing is computed; 0 unless given: what waits is computed. */
  maxDelay?: number
  /** Rows that wait at most; 1024 unless given. */
  maxQueue?: number
  /** Sizes of which programs are prepared, up to which batches are filled; the powers of two up to `maxBatch` unless given. */
  sizes?: readonly number[]
  /** Sizes at which a batch is computed though its rows might wait on; none unless given. */
  preferredSizes?: readonly number[]
  /** Batches that are submitted at a time; unless given 2, one that is computed and one that is ready, and 8 where whole batches wait. */
  maxInFlight?: number
  /** Milliseconds after which a request is refused, where it does not say so itself; no end unless given. */
  timeout?: number
  /** Milliseconds that 99 of 100 requests are to take at most: batches and delays follow from it, and what could not be in time is refused. */
  targetP99?: number
  /** Milliseconds by which others have to have come earlier to be before a request of the next higher priority; 100 unless given. */
  patience?: number
  /** Whether NaN and infinities in rows are refused; false unless given. */
  finiteOnly?: boolean
  /** What is made of the logits. */
  output?: OutputOptions
  /** Where its counters and distributions, and a span of each request, go; nowhere unless given. */
  telemetry?: TelemetryOptions
}

const predictorOptions: OptionTypes<PredictorOptions> = {
  inputShape: 'other',
  inputDtype: 'other',
  maxBatch: 'number',
  maxDelay: 'number',
  maxQueue: 'number',
  sizes: 'other',
  preferredSizes: 'other',
  maxInFlight: 'number',
  timeout: 'number',
  targetP99: 'number',
  patience: 'number',
  finiteOnly: 'boolean',
  output: 'other',
  telemetry: 'other',
  lengths: 'other',
  padValue: 'number',
  lengthsAs: 'string',
}

export interface RequestOptions {
  /** Takes the request back: it is rejected with the signal's reason, and what waits of it is not computed. */
  signal?: Abortable | undefined
  /** Milliseconds after which it is rejected with a TimeoutError; what still waits of it is not computed. */
  timeout?: number
  /** From 0, which it is unless given, to 9, the most urgent. */
  priority?: number
}

export const requestOptions: OptionTypes<RequestOptions> = { signal: 'other', timeout: 'number', priority: 'number' }

/** @throws TypeError, RangeError for options that do not fit */
export function checkedOptions(op: string, options: PredictorOptions) {
  const {
    maxBatch = 64,
    maxDelay = 0,
    maxQueue = 1024,
    sizes,
    preferredSizes = [],
    maxInFlight,
    timeout,
    targetP99,
    patience = 100,
    finiteOnly = false,
    telemetry,
  } = requireOptions(op, options, predictorOptions, ['inputShape'])
  checkInteger(op, 'an integer maxBatch of at least 1', maxBatch, 1, 65536)
  const isDuration = (x: number) => x >= 0 && Number.isFinite(x)
  checkNumber(op, 'a finite maxDelay of at least 0', maxDelay, isDuration)
  checkInteger(op, 'an integer maxQueue of at least 1', maxQueue, 1)
  if (maxInFlight !== undefined) checkInteger(op, 'an integer maxInFlight of at least 1', maxInFlight, 1)
  if (timeout !== undefined) checkNumber(op, 'a timeout of at least 0', timeout, (x) => x >= 0)
  if (targetP99 !== undefined)
    checkNumber(op, 'a finite targetP99 above 0', targetP99, (x) => x > 0 && Number.isFinite(x))
  checkNumber(op, 'a finite patience of at least 0', patience, isDuration)
  checkBoolean(op, 'finiteOnly', finiteOnly)
  return {
    maxBatch,
    maxDelay,
    maxQueue,
    sizes: sizes === undefined ? powersUpTo(maxBatch) : checkedSizes(op, 'sizes', sizes, maxBatch, true),
    preferredSizes: checkedSizes(op, 'preferredSizes', preferredSizes, maxBatch, false),
    maxInFlight,
    timeout,
    targetP99,
    patience,
    finiteOnly,
    telemetry: telemetry === undefined ? undefined : checkTelemetry(op, telemetry),
  }
}

function powersUpTo(most: number): readonly number[] {
  const sizes: number[] = []
  for (let size = 1; size < most; size *= 2) sizes.push(size)
  return [...sizes, most]
}

/** Ascending, and up to `maxBatch`, which is added to those that are prepared. */
function checkedSizes(
  op: string,
  name: string,
  given: readonly number[],
  maxBatch: number,
  isPrepared: boolean,
): readonly number[] {
  const sizes = checkList(op, `a list of integers from 1 to ${maxBatch} as ${name}`, given)
  for (const size of sizes) checkInteger(op, `integers from 1 to ${maxBatch} as ${name}`, size, 1, maxBatch)
  return [...new Set(isPrepared ? [...sizes, maxBatch] : sizes)].toSorted((a, b) => a - b)
}
