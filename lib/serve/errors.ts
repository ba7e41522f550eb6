/** What a request may be refused by, beside what is wrong with its rows. */

/** As many rows wait as may, or more than can be answered in time. Nothing was computed: the same request may be sent again later. */
export class QueueFullError extends Error {
  override name = 'QueueFullError'
}

/** The time of a request was over before its rows were computed. */
export class TimeoutError extends Error {
  override name = 'TimeoutError'
}

/** The predictor takes no more requests, as it is closed or being closed. */
export class ClosedError extends Error {
  override name = 'ClosedError'
}
