/** A run without its files: what it says of itself by its records. */
import { describe, expect, test } from 'vitest'
import { Run } from '../../lib/board/run.ts'
import type { RunRecord } from '../../lib/events/record.ts'
import { scalar } from './support/board.ts'

const limits = { points: 2 ** 17, records: 200 }
const runOf = (...records: RunRecord[]) => {
  const run = new Run('a', limits)
  for (const record of records) run.add(record)
  return run
}

describe('its state', () => {
  const now = 1.7e12
  const minutes = 60_000

  test('is running as long as its files are written to, and then nobody knows', () => {
    expect(runOf(scalar(1, 1)).stateAt(now, now - 4 * minutes)).toBe('running')
    expect(runOf(scalar(1, 1)).stateAt(now, now - 6 * minutes)).toBe('unknown')
  })

  test.each(['ended', 'stopped', 'failed'] as const)('is %s where it says so, until it is gone on with', (state) => {
    const end = { type: 'end', time: now, state } as const
    expect(runOf(scalar(1, 1), end).stateAt(now, now)).toBe(state)
    expect(runOf(scalar(1, 1), end, { type: 'run', name: 'a', step: 1 }).stateAt(now, now)).toBe('running')
  })
})

test('what it had after the step that it is gone on from is void: points, and records that have a step', () => {
  const text = (step: number) => ({ type: 'text', step, time: 1, tag: 't', text: `${step}` }) as const
  const graph = { type: 'graph', nodes: [] } as const
  const run = runOf({ type: 'run', name: 'a' }, graph, ...[1, 2, 3].flatMap((step) => [scalar(step, step), text(step)]))
  run.add({ type: 'run', name: 'a', step: 2 })
  expect(run.series('loss', 100).step).toEqual([1, 2])
  expect(run.records('text', undefined, 100).map((text) => JSON.parse(`${text}`).step)).toEqual([1, 2])
  expect(run.records('graph', undefined, 100)).toHaveLength(1)
})

test('figures of the system are series, and no scalars; the first step without an epoch has none', () => {
  const system = { type: 'system', step: 1, time: 1, rss: 5, eventLoopDelay: 1, processors: 2, threads: 3 } as const
  const run = runOf(system, { ...system, step: 2, epoch: 0.5, rss: Number.NaN })
  expect(run.summary().tags.scalars).toEqual([])
  expect(run.summary().last).toEqual({})
  expect(run.series('system/rss', 100)).toMatchObject({ step: [1, 2], epoch: [null, 0.5], value: [5, null] })
})

test('hyper-parameters that come later are added', () => {
  const run = runOf({ type: 'hyperparameters', values: { a: 1, b: 2 } }, { type: 'hyperparameters', values: { b: 3 } })
  expect(run.summary().hyperparameters).toEqual({ a: 1, b: 3 })
})

test('a tag beyond all measure is left out', () => {
  const run = runOf(scalar(1, 1, 'x'.repeat(1001)), scalar(1, 1, 'y'.repeat(1000)))
  expect(run.summary().tags.scalars).toEqual(['y'.repeat(1000)])
  expect(run.summary().message).toContain('tags')
})
