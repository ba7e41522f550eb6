/** Work that is submitted ahead: while one piece runs, the next one waits with its inputs ready. */
import { elementAt } from '../base/lists.ts'

/** How many submissions are under way at a time. */
const depth = 2

export interface Ended<T, R> {
  readonly item: T
  readonly result: R
}

/**
 * Submits item after item and gives the results in order. When it ends, by whichever error or because nobody wants more, nothing
 * is under way any more.
 */
export async function* pipeline<T, R>(
  items: Iterable<T> | AsyncIterable<T>,
  submit: (item: T) => Promise<R>,
): AsyncGenerator<Ended<T, R>, void, void> {
  const underWay: { readonly item: T; readonly result: Promise<R> }[] = []
  const oldest = async (): Promise<Ended<T, R>> => {
    const { item, result } = elementAt(underWay, 0)
    const value = await result
    underWay.shift()
    return { item, result: value }
  }
  try {
    for await (const item of items) {
      const result = submit(item)
      // Its error is thrown where it is awaited, which may be later than it occurs.
      result.catch(() => {})
      if (underWay.push({ item, result }) === depth) yield await oldest()
    }
    while (underWay.length > 0) yield await oldest()
  } finally {
    await Promise.allSettled(underWay.map(({ result }) => result))
  }
}
