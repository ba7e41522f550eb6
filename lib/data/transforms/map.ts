/** Elements that a function makes of others. */
import { failedAt } from '../failures.ts'
import { computed } from '../stacking.ts'
import { over, type Stage } from '../stage.ts'
import { ahead } from './ahead.ts'
import { type Numbered, numbered } from './numbered.ts'

export function map<T, U>(parent: Stage<T>, fn: (value: T) => U | PromiseLike<U>, concurrency: number): Stage<U> {
  const apply = async ({ value, number }: Numbered<T>): Promise<U> => {
    try {
      return await computed(await fn(value))
    } catch (error) {
      throw failedAt('map', number, error)
    }
  }
  return over(parent, {
    name: 'map',
    open(pass, position) {
      const elements = numbered(parent, pass, position)
      if (concurrency > 1) return ahead(elements, concurrency, apply)
      return {
        async next() {
          const { done, value } = await elements.next()
          return done ? { done, value } : { done: false, value: await apply(value) }
        },
        position: () => elements.position(),
        close: () => elements.close(),
      }
    },
  })
}
