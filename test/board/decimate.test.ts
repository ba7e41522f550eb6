/** Decimation keeps what a chart of all points would show, in few of them. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decimate, fewestPoints } from '../../lib/board/decimate.ts'

/** Steps that rise by what is given, repeated ones among them, and values of all kinds. */
const points = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 50 }), fc.double()), { minLength: 1, maxLength: 400 })
  .map((rows) => {
    let last = 0
    const step = Float64Array.from(rows, ([rise]) => (last += rise))
    return { step, value: Float64Array.from(rows, ([, value]) => value) }
  })
const most = fc.integer({ min: fewestPoints, max: 100 })

const finiteIn = (value: Float64Array) => value.filter((x) => Number.isFinite(x))
const extremes = (value: Float64Array) => [Math.min(...finiteIn(value)), Math.max(...finiteIn(value))]

describe('decimated points', () => {
  test('are at most as many as were asked for, in order, each once', () => {
    fc.assert(
      fc.property(points, most, (all, most) => {
        const kept = decimate(all, 0, all.step.length, most)
        expect(kept.length).toBeLessThanOrEqual(most)
        expect([...kept]).toEqual([...new Set(kept)].sort((a, b) => a - b))
      }),
    )
  })

  test('have the first, the last, the lowest and the highest of all, and what is no finite number', () => {
    fc.assert(
      fc.property(points, most, (all, most) => {
        const count = all.step.length
        const kept = decimate(all, 0, count, most)
        const values = Float64Array.from(kept, (i) => all.value[i]!)
        expect([kept[0], kept.at(-1)]).toEqual([0, count - 1])
        expect(extremes(values)).toEqual(extremes(all.value))
        expect(finiteIn(values).length < values.length).toBe(finiteIn(all.value).length < count)
      }),
    )
  })

  test('are all of them where those are few, and of a range those in it', () => {
    fc.assert(
      fc.property(points, fc.nat(400), fc.nat(400), most, (all, a, b, most) => {
        const [start, end] = [Math.min(a, b, all.step.length), Math.min(Math.max(a, b), all.step.length)]
        const kept = decimate(all, start, end, most)
        if (end - start <= most) expect([...kept]).toEqual(Array.from({ length: end - start }, (_, i) => start + i))
        else expect([kept[0], kept.at(-1)]).toEqual([start, end - 1])
      }),
    )
  })

  test('have the extremes of each part of the steps, and not of each so many points', () => {
    // A thousand points in the first tenth, and ten in the rest.
    const step = Float64Array.from({ length: 1010 }, (_, i) => (i < 1000 ? i / 10 : 100 * (i - 999)))
    const value = step.map((_, i) => (i === 503 ? 9 : i === 700 ? -9 : i % 7))
    const kept = decimate({ step, value }, 0, 1010, 50)
    expect([...kept].filter((i) => i >= 1000)).toEqual([1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1008, 1009])
    expect([...kept]).toEqual(expect.arrayContaining([503, 700]))
  })

  test.each([
    ['all at one step', [5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5]],
    ['of steps beyond all measure', [-1e308, -1e308, 0, 1, 2, 3, 4, 5, 6, 7, 8, 1e308]],
  ])('%s are decimated too', (_, steps) => {
    const value = Float64Array.from(steps, (_, i) => (i === 4 ? 99 : i))
    const kept = decimate({ step: Float64Array.from(steps), value }, 0, steps.length, 10)
    expect(kept.length).toBeLessThanOrEqual(10)
    expect([...kept]).toEqual(expect.arrayContaining([0, 4, 11]))
  })
})
