/** What is typed, checked. */
import { InvalidArgumentError } from 'commander'

/** An integer from 1. */
export function countOf(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new InvalidArgumentError('expected an integer from 1.')
  return Number(text)
}

function integerOf(text: string, most: number): number {
  if (!/^\d{1,10}$/.test(text) || Number(text) > most)
    throw new InvalidArgumentError(`expected an integer from 0 to ${most}.`)
  return Number(text)
}

export const seedOf = (text: string): number => integerOf(text, 2 ** 32 - 1)

/** 0 is any that is free. */
export const portOf = (text: string): number => integerOf(text, 65535)

export const opsetOf = (text: string): number => {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('expected an integer.')
  return Number(text)
}

/** One of some words. */
export const choiceOf =
  <Name extends string>(names: readonly Name[]) =>
  (text: string): Name => {
    const found = names.find((name) => name === text)
    if (found === undefined) throw new InvalidArgumentError(`expected one of ${names.join(', ')}.`)
    return found
  }

export const formatOf = choiceOf(['csv', 'jsonl'])
