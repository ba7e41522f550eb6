/** Why a request is not answered, in words that each protocol has a number for. */
import { ClosedError, QueueFullError, TimeoutError } from '../errors.ts'

/** The client's: `invalid`, `notFound`, `tooLarge`, `gone`; states that it may wait out: `full`, `late`, `closed`; all else is `internal`. */
export type Fault = 'invalid' | 'notFound' | 'tooLarge' | 'gone' | 'full' | 'late' | 'closed' | 'internal'

/** A fault that is the client's. */
export class RequestError extends Error {
  override name = 'RequestError'

  constructor(
    readonly fault: Fault,
    message: string,
  ) {
    super(message)
  }
}

export const invalid = (message: string): RequestError => new RequestError('invalid', message)

/** What an error is to the client. Rows that are refused are its own fault, all that is not known is ours and not told. */
export function faultOf(error: unknown): { readonly fault: Fault; readonly message: string } {
  if (error instanceof RequestError) return error
  if (error instanceof QueueFullError) return { fault: 'full', message: error.message }
  if (error instanceof TimeoutError) return { fault: 'late', message: error.message }
  if (error instanceof ClosedError) return { fault: 'closed', message: error.message }
  if (isRefusal(error)) return { fault: 'invalid', message: error.message }
  return { fault: 'internal', message: 'internal error' }
}

/** What the library refuses: `predictor: expected …`; another TypeError is a fault of somebody's code. */
const isRefusal = (error: unknown): error is Error =>
  (error instanceof TypeError || error instanceof RangeError) && /^\w+: /.test(error.message)
