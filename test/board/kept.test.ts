/** Records that are kept: a bounded number, spread over the run or the newest. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Kept } from '../../lib/board/kept.ts'

const text = (step: number, length = 0) =>
  ({ type: 'text', step, time: 0, tag: 'a', text: 'x'.repeat(length) }) as const
const stepsOf = (kept: Kept, most = 1000) => kept.texts(most).map((text) => JSON.parse(text.toString()).step as number)

describe('records that are spread', () => {
  test('are at most so many, evenly apart, the first and the newest among them', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 4, max: 40 }), (count, most) => {
        const kept = new Kept('spread')
        for (let i = 0; i < count; i++) kept.add(text(i), i, most)
        const steps = stepsOf(kept)
        expect(steps.length).toBeLessThanOrEqual(most)
        expect([steps[0], steps.at(-1)]).toEqual([0, count - 1])
        const gaps = steps.slice(1).map((step, i) => step - steps[i]!)
        const usual = gaps[0] ?? 1
        expect(gaps.slice(0, -1).every((gap) => gap === usual)).toBe(true)
        expect(gaps.at(-1) ?? 1).toBeLessThanOrEqual(usual)
        expect(count / steps.length).toBeLessThanOrEqual(4 * Math.max(1, count / most))
      }),
    )
  })

  test('fewer of them are as evenly apart', () => {
    const kept = new Kept('spread')
    for (let i = 0; i < 101; i++) kept.add(text(i), i, 200)
    expect(stepsOf(kept, 5)).toEqual([0, 25, 50, 75, 100])
    expect(stepsOf(kept, 1)).toEqual([100])
  })
})

describe('the newest records', () => {
  test('stay', () => {
    const kept = new Kept('newest')
    for (let i = 0; i < 100; i++) kept.add(text(i), i, 5)
    expect(stepsOf(kept)).toEqual([95, 96, 97, 98, 99])
    expect(stepsOf(kept, 2)).toEqual([98, 99])
  })

  test('are those of a step that is gone on from', () => {
    const kept = new Kept('newest')
    for (let i = 0; i < 5; i++) kept.add(text(i), i, 10)
    kept.dropAfter(2)
    kept.add(text(7), 7, 10)
    expect(stepsOf(kept)).toEqual([0, 1, 2, 7])
  })
})

test.each(['spread', 'newest'] as const)('records of many bytes are fewer: %s', (keeping) => {
  const kept = new Kept(keeping)
  for (let i = 0; i < 20; i++) kept.add(text(i, 2 ** 22), i, 100)
  expect(kept.bytes).toBeLessThanOrEqual(2 ** 25)
  expect(kept.bytes).toBeGreaterThan(2 ** 23)
  expect(stepsOf(kept).at(-1)).toBe(19)
})
