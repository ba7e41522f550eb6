/** How far a training is: plain data, which with its sums is all that there is to say about its place. */
import type { PipelineState } from '../data/pass.ts'

export interface Progress {
  /** The epoch under way, from 0. */
  epoch: number
  /** The steps of it that are done: their updates are in the parameters, and their results in the sums. */
  step: number
  /** The steps of all epochs so far. */
  totalSteps: number
  /** Of the epoch under way, in training. */
  seconds: number
  /** Those of them in which no step was under way for want of data. */
  waited: number
  /** Of a stream, after the last step. */
  data?: PipelineState | undefined
}
