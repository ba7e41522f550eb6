/** Columns of a series: in order whatever order they come in, and thinned evenly where they are too many. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Columns } from '../../lib/board/columns.ts'

const point = (step: number, value = step) => ({ step, epoch: step / 10, time: 1000 * step, value })
const plenty = 2 ** 17

const columnsOf = (points: readonly ReturnType<typeof point>[], most = plenty) => {
  const columns = new Columns()
  for (const each of points) columns.add(each, most)
  return columns
}
const column = (columns: Columns, name: 'step' | 'epoch' | 'time' | 'value') => [
  ...columns.settled()[name].subarray(0, columns.length),
]

describe('points', () => {
  test('are by step, and by their arrival where steps are the same', () => {
    const steps = fc.array(fc.integer({ min: -20, max: 20 }), { maxLength: 100 })
    fc.assert(
      fc.property(steps, fc.nat(100), (steps, settledAt) => {
        const columns = new Columns()
        for (const [i, step] of steps.entries()) {
          columns.add(point(step, i), plenty)
          if (i === settledAt) columns.settled()
        }
        const sorted = steps.map((step, i) => [step, i]).sort(([a, i], [b, j]) => a! - b! || i! - j!)
        expect(column(columns, 'step')).toEqual(sorted.map(([step]) => step))
        expect(column(columns, 'value')).toEqual(sorted.map(([, i]) => i))
        expect(column(columns, 'epoch')).toEqual(sorted.map(([step]) => step! / 10))
        expect(columns.total).toBe(steps.length)
      }),
    )
  })

  test('the last is the one that came last', () => {
    const columns = columnsOf([point(1), point(9), point(4)])
    expect(columns.last).toBe(4)
    expect(new Columns().last).toBeNaN()
  })

  test('of a range have their neighbours', () => {
    const columns = columnsOf([1, 3, 5, 7, 9].map((step) => point(step)))
    expect(columns.range(3, 7)).toEqual([0, 5])
    expect(columns.range(4, 6)).toEqual([1, 4])
    expect(columns.range(5, 5)).toEqual([1, 4])
    expect(columns.range(20, 30)).toEqual([4, 5])
    expect(columns.range(-5, -1)).toEqual([0, 1])
    expect(columns.range(-Infinity, Infinity)).toEqual([0, 5])
    expect(new Columns().range(1, 2)).toEqual([0, 0])
  })

  test('after a step are dropped, where a training goes on from there', () => {
    const columns = columnsOf([1, 2, 5, 3, 4].map((step) => point(step)))
    const { version } = columns
    columns.dropAfter(3)
    expect(column(columns, 'step')).toEqual([1, 2, 3])
    expect([columns.total, columns.last, columns.version === version]).toEqual([3, 3, false])
    columns.add(point(4, 40), plenty)
    expect(column(columns, 'value')).toEqual([1, 2, 3, 40])
    columns.dropAfter(-1)
    expect([columns.length, columns.last]).toEqual([0, Number.NaN])
  })
})

describe('a long series', () => {
  test('is bounded, keeps its extremes, and is as dense in the beginning as at the end', () => {
    const most = 1024
    const columns = new Columns()
    for (let i = 0; i < 100_000; i++) columns.add(point(i, i === 12_345 ? 99 : i === 54_321 ? -99 : Math.sin(i)), most)
    expect(columns.length).toBeLessThanOrEqual(most)
    expect(columns.bytes).toBeLessThanOrEqual(most * 4 * 8)
    expect(columns.total).toBe(100_000)
    const [steps, values] = [column(columns, 'step'), column(columns, 'value')]
    expect([Math.min(...values), Math.max(...values)]).toEqual([-99, 99])
    expect([steps[0], steps.at(-1)]).toEqual([0, 99_999])
    const gaps = steps.slice(1).map((step, i) => step - steps[i]!)
    expect(Math.max(...gaps)).toBeLessThan((4 * 100_000) / (most / 8))
  })

  test('is thinned where fewer are kept from now on', () => {
    const columns = columnsOf(Array.from({ length: 5000 }, (_, i) => point(i)))
    columns.thin(1024)
    expect(columns.length).toBeLessThanOrEqual(512)
    expect(columns.bytes).toBeLessThanOrEqual(1024 * 4 * 8)
    expect(column(columns, 'step').at(-1)).toBe(4999)
    columns.add(point(5000), 1024)
    expect(column(columns, 'step').at(-1)).toBe(5000)
  })
})
