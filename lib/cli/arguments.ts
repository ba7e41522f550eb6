/** What is typed, as numbers. */
import { InvalidArgumentError } from 'commander'

/** An integer from 1. */
export function countOf(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new InvalidArgumentError('expected an integer from 1.')
  return Number(text)
}
