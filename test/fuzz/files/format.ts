/** What the suite knows of a file format: a module like idx.ts, and its line in formats.ts. */
import type { Random } from '../random.ts'

export interface Format {
  readonly name: string
  /** A small file that is right; which one, follows from the random numbers. */
  sample(random: Random): Uint8Array
  /**
   * Reads what may be no such file any more, in every way that there is; `folder` is for files. Gives what it read, after
   * checking that it is whole, or throws.
   */
  read(bytes: Uint8Array, random: Random, folder: string): Promise<void>
  /** Whether an error is a refusal of the file, with a message for its user. */
  refuses(error: unknown): boolean
}
