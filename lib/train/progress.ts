/** How far a training is: plain data, which is all that there is to say about its place. */
import type { Sums } from './scores.ts'

export interface Progress {
  /** The epoch under way, from 0. */
  epoch: number
  /** The steps of it that are done: their updates are in the parameters, and their results in the sums. */
  step: number
  /** The steps of all epochs so far. */
  totalSteps: number
  /** Of the epoch under way. */
  sums: Sums
  /** Of the epoch under way, in training. */
  seconds: number
}
