/** What README says of other libraries is what was measured. */
import { expect, test } from 'vitest'
import { resultTable } from '../../bench/peers/results.ts'
import { readmeWithPeers, writtenReadme } from '../../tools/peers-table.ts'

test('the table of peers is what `npm run docs:peers` writes', () => {
  expect(writtenReadme(), 'README.md is not up to date: npm run docs:peers').toBe(readmeWithPeers())
})

test('a row is beside the best peer, and one that none of them can do beside none', () => {
  const machine = { processor: 'EPYC', threads: 2, isa: 'avx512', gigahertz: 4, gflops: 200, copyGBs: 40 }
  const rows = {
    step: { microseconds: { Galvani: 50, torch: 200, jax: 12_345 }, limit: 40 },
    alone: { microseconds: { Galvani: 20_000 } },
    unknown: { microseconds: { jax: 1 } },
  }
  const versions = { Galvani: '1', jax: '2', torch: '3' }
  expect(resultTable({ date: '', node: '', machine, versions, rows }).split('\n')).toEqual([
    '|       | Galvani | jax     | torch  | Galvani / best | limit |',
    '| ----- | ------- | ------- | ------ | -------------- | ----- |',
    '| step  | 50.0 µs | 12.3 ms | 200 µs | 0.25           | 80%   |',
    '| alone | 20.0 ms |         |        |                |       |',
  ])
})
