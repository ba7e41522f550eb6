/** Parts of a stream that have no element in common, chosen by the numbers of elements. */
import { expected } from '../../base/errors.ts'
import { fractionOf, hashOf } from '../hashing.ts'
import type { Stage } from '../stage.ts'
import { chosenBy } from './filter.ts'

/** By numbers the same elements have to be meant in each epoch, or what was held back would come to be trained on. */
function checkOrder(op: string, { reordered }: Stage<unknown>): void {
  if (reordered)
    throw new TypeError(
      expected(
        op,
        'elements in the same order in each pass (shuffle and repeat the parts)',
        'a stream that is shuffled or repeated',
      ),
    )
}

export function split<T>(parent: Stage<T>, fraction: number, seed: number): [Stage<T>, Stage<T>] {
  checkOrder('split', parent)
  const key = hashOf(seed)
  const part = (name: string, isFirst: boolean) =>
    chosenBy(
      parent,
      `split(${name} of ${fraction}, seed ${seed})`,
      undefined,
      ({ number }) => fractionOf(key, number) < fraction === isFirst,
    )
  return [part('first', true), part('second', false)]
}

export interface Fold<T> {
  readonly train: T
  readonly validation: T
}

/** Each element is of the validation part of one fold, and of the training part of all others. */
export function kFold<T>(parent: Stage<T>, folds: number, seed: number): Fold<Stage<T>>[] {
  checkOrder('kFold', parent)
  const key = hashOf(seed)
  const foldOf = (number: number) => Math.floor(fractionOf(key, number) * folds)
  return Array.from({ length: folds }, (_, fold) => {
    const part = (name: string, isValidation: boolean) =>
      chosenBy(
        parent,
        `kFold(${name} ${fold} of ${folds}, seed ${seed})`,
        undefined,
        ({ number }) => (foldOf(number) === fold) === isValidation,
      )
    return { train: part('train', false), validation: part('validation', true) }
  })
}
