/** Deadlines pass in the order of their coming and in time, but not those that were met. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Deadlines } from '../../../lib/base/deadlines.ts'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

test('each passes after its time, and at most an eighth of it late', () => {
  const deadlines = new Deadlines(800)
  const passed: [name: string, when: number][] = []
  const start = Date.now()
  const add = (name: string) => deadlines.add(() => passed.push([name, Date.now() - start]))
  add('first')
  vi.advanceTimersByTime(250)
  add('second')
  vi.advanceTimersByTime(20)
  add('third')
  vi.advanceTimersByTime(2000)
  expect(passed.map(([name]) => name)).toEqual(['first', 'second', 'third'])
  for (const [i, came] of [0, 250, 270].entries()) {
    const took = passed[i]![1] - came
    expect(took).toBeGreaterThanOrEqual(800)
    expect(took).toBeLessThanOrEqual(900)
  }
})

test('one that was met does not pass, whichever of them it is', () => {
  for (const met of [[0], [1], [2], [0, 2], [2, 1, 0]]) {
    const deadlines = new Deadlines(80)
    const passed: number[] = []
    const all = [0, 1, 2].map((i) => deadlines.add(() => passed.push(i)))
    for (const i of met) deadlines.remove(all[i]!)
    vi.advanceTimersByTime(200)
    expect(passed).toEqual([0, 1, 2].filter((i) => !met.includes(i)))
  }
})

test('one that passes may meet others, and set new ones', () => {
  const deadlines = new Deadlines(80)
  const passed: string[] = []
  deadlines.add(() => {
    passed.push('first')
    deadlines.remove(second)
    deadlines.add(() => passed.push('third'))
  })
  const second = deadlines.add(() => passed.push('second'))
  vi.advanceTimersByTime(95)
  expect(passed).toEqual(['first'])
  vi.advanceTimersByTime(95)
  expect(passed).toEqual(['first', 'third'])
})

test('there is no timer where nothing is waited for', () => {
  const deadlines = new Deadlines(80)
  const one = deadlines.add(() => {})
  expect(vi.getTimerCount()).toBe(1)
  deadlines.remove(one)
  vi.advanceTimersByTime(20)
  expect(vi.getTimerCount()).toBe(0)
})
