/** What the file system refuses, in the words of the function that was called; and the paths that it is asked by. */
import { checkText, describe } from '../base/arguments.ts'
import { expected } from '../base/errors.ts'

/**
 * A path that a user gave.
 * @throws TypeError for what is no text, RangeError for one that no file has
 */
export function checkPath(op: string, path: unknown): string {
  const text = checkText(op, 'a path', path)
  if (text === '' || text.includes('\0')) throw new RangeError(expected(op, 'a path', describe(text)))
  return text
}

/** An error of the file system with the `code` that it has there, as `load: cannot read FILE: ENOENT: …`. */
export function fileError(op: string, verb: 'read' | 'write', path: string, error: unknown): Error {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === undefined) return error as Error
  return Object.assign(new Error(`${op}: cannot ${verb} ${path}: ${message}`, { cause: error }), { code })
}
