/** Cases that show watch.test.ts what it is there for: by number, that one ends the process, goes on for ever, or throws. */
import { tryCases } from './child.ts'

await tryCases(async (seed, number) => {
  if (number === 13) process.abort()
  if (number === 15) process.exit(3)
  if (number === 17) for (;;);
  if (number === 19) throw new Error(`seed ${seed}`)
  return number % 2 === 0 ? 'even' : 'odd'
})
