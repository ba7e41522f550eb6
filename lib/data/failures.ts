/** What becomes of errors that callbacks and sources of a pipeline throw. */
import { PipelineError } from '../base/errors.ts'

/** What was thrown, with the operation and the number of the element where it happened. */
export function failedAt(op: string, element: number, cause: unknown): PipelineError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new PipelineError(`${op}: element ${element} failed: ${reason}`, { cause })
}
