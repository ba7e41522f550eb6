/** How many submissions are under way at a time: while one runs, the next one waits with its inputs ready. */
const depth = 2

/**
 * Submits item after item and hands over the results in order. When it settles, by whichever error, nothing is under
 * way any more.
 */
export async function pipeline<T, R>(
  items: Iterable<T>,
  submit: (item: T) => Promise<R>,
  receive: (result: R, item: T) => Promise<void>,
): Promise<void> {
  const underWay: { readonly item: T; readonly result: Promise<R> }[] = []
  const receiveOldest = async () => {
    const { item, result } = elementAt(underWay, 0)
    const value = await result
    underWay.shift()
    await receive(value, item)
  }
  try {
    for (const item of items) {
      const result = submit(item)
      // Its error is thrown where it is awaited, which may be later than it occurs.
      result.catch(() => {})
      if (underWay.push({ item, result }) === depth) await receiveOldest()
    }
    while (underWay.length > 0) await receiveOldest()
  } finally {
    await Promise.allSettled(underWay.map(({ result }) => result))
  }
}

import { elementAt } from '../base/lists.ts'
