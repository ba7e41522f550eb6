/** The elements that a function chooses. */
import { describe } from '../../base/arguments.ts'
import { expected } from '../../base/errors.ts'
import { failedAt } from '../failures.ts'
import { over, type Stage } from '../stage.ts'
import { type Numbered, numbered } from './numbered.ts'

export function filter<T>(parent: Stage<T>, fn: (value: T) => unknown): Stage<T> {
  const isChosen = async ({ value, number }: Numbered<T>): Promise<boolean> => {
    try {
      const chosen: unknown = await fn(value)
      if (typeof chosen === 'boolean') return chosen
      throw new TypeError(expected('filter', 'a function that gives true or false', describe(chosen)))
    } catch (error) {
      throw failedAt('filter', number, error)
    }
  }
  return chosenBy(parent, 'filter', undefined, isChosen)
}

/** The elements that a function of them and their numbers chooses. */
export function chosenBy<T>(
  parent: Stage<T>,
  name: string,
  size: number | undefined,
  isChosen: (element: Numbered<T>) => boolean | Promise<boolean>,
): Stage<T> {
  return over(parent, {
    name,
    size,
    open(pass, position) {
      const elements = numbered(parent, pass, position)
      return {
        async next() {
          for (;;) {
            const { done, value } = await elements.next()
            if (done) return { done, value }
            if (await isChosen(value)) return { done: false, value: value.value }
          }
        },
        position: () => elements.position(),
        close: () => elements.close(),
      }
    },
  })
}
