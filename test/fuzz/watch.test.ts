import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { again, cases, numbersOf, Tally } from './suite.ts'
import { watch } from './watch.ts'

const script = fileURLToPath(new URL('faulty.ts', import.meta.url))

test('a case that ends the process, does not end, or throws is a fault that names it, and the others are tried', async () => {
  const tally = new Tally()
  const options = { script, seed: 7, again: (number: number) => again('faulty', 7, number), hangs: 3000 }
  await watch(options, cases(11, 10), tally)
  expect(tally.faults.map(({ what, again }) => [again, what.split('\n')[0]])).toEqual([
    ['--suite faulty --seed 7 --case 13', 'it ended the process (SIGABRT)'],
    ['--suite faulty --seed 7 --case 15', 'it ended the process (exit code 3)'],
    ['--suite faulty --seed 7 --case 17', 'it does not end, or not within 3 s'],
    ['--suite faulty --seed 7 --case 19', 'Error: seed 7'],
  ])
  // What a process that was ended had counted since its last line is lost with it.
  expect(Object.fromEntries(tally.counts)).toMatchObject({ even: 2, 'ended the process': 3, fault: 1 })
})

test('a budget is over by its cases or by its time, after one case at least', () => {
  expect([...numbersOf(cases(3, 5))]).toEqual([5, 6, 7])
  expect([...numbersOf({ first: 2, cases: Infinity, until: 0 })]).toEqual([2])
})
