import { describe, expect, test } from 'vitest'
import { type Results, resultTable } from '../../bench/peers/results.ts'
import { readme, withTable } from '../../tools/peer-table.ts'

const machine = {
  ...{ processor: 'X', threads: 2, isa: 'avx512', gigahertz: 3, gflops: 200, copyGBs: 30 },
  ...{ forkJoinNanoseconds: 500, lineNanoseconds: 1 },
}

describe('the table of peers', () => {
  test('in the README is that of the results', () => {
    const text = readme()
    expect(withTable(text)).toBe(text)
  })

  test('has the share of the best peer and of the limit, and no row that Galvani has no time of', () => {
    const results: Results = {
      ...{ date: '2026-01-01', node: 'v20.0.0', machine, versions: { Galvani: '1', jax: '2', torch: '3' } },
      rows: {
        step: { microseconds: { Galvani: 50, jax: 200, torch: 100 }, limit: 40 },
        'no peer': { microseconds: { Galvani: 20_000 } },
        'no time': { microseconds: { jax: 1 } },
      },
    }
    expect(resultTable(results).split('\n')).toEqual([
      '|         | Galvani | jax    | torch  | Galvani / best | limit |',
      '| ------- | ------- | ------ | ------ | -------------- | ----- |',
      '| step    | 50.0 µs | 200 µs | 100 µs | 0.50           | 80%   |',
      '| no peer | 20.0 ms |        |        |                |       |',
    ])
  })
})
