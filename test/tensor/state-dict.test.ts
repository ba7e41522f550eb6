import { expect, test } from 'vitest'
import * as g from '../../lib/index.ts'

const variables = () => ({ w: g.variable([1, 2]), n: g.variable(3, { dtype: 'int32' }) })

const valuesOf = (state: g.StateDict) => Object.fromEntries(Object.entries(state).map(([k, x]) => [k, x.arraySync()]))

test('stateDict has what the variables hold then, by name', () => {
  const { w, n } = variables()
  const state = g.stateDict({ w, n })
  w.assign([5, 6])
  expect(valuesOf(state)).toEqual({ w: [1, 2], n: 3 })
  expect(g.stateDict({})).toEqual({})
})

test('loadStateDict gives each variable the value of its name', () => {
  const { w, n } = variables()
  g.loadStateDict({ w, n }, { n: 7, w: g.tensor([3, 4]).add(1) })
  expect(valuesOf(g.stateDict({ w, n }))).toEqual({ w: [4, 5], n: 7 })
})

test.each([
  [{ w: [3, 4] }, TypeError, 'loadStateDict: expected exactly the names w, n, got no n'],
  [{ w: [3, 4], n: 1, x: 1 }, TypeError, 'loadStateDict: expected exactly the names w, n, got an unknown x'],
  [{ w: [3, 4], n: [1] }, g.ShapeError, 'loadStateDict: expected n of shape [], got [1]'],
  [{ w: [3, 4], n: g.tensor(1.5) }, g.DTypeError, 'loadStateDict: expected n of int32, got float32'],
  [{ w: [3, 4], constructor: 1 }, TypeError, 'got no n and an unknown constructor'],
])('%o does not fit, and changes nothing', (state, kind, message) => {
  const { w, n } = variables()
  const load = () => g.loadStateDict({ w, n }, state)
  expect(load).toThrow(kind)
  expect(load).toThrow(message)
  expect(valuesOf(g.stateDict({ w, n }))).toEqual({ w: [1, 2], n: 3 })
})

test('all that does not fit is in one message', () => {
  const { w, n } = variables()
  const more = { w, n, a: g.variable([1]), b: g.variable([2]) }
  const state = { w: [1, 2, 3], n: g.tensor(1.5), a: [[1]], c: 1, d: 2 }
  expect(() => g.loadStateDict(more, state)).toThrow(
    new TypeError(
      'loadStateDict: expected exactly the names w, n, a, b, got no b and an unknown c, d; expected w of shape [2], got [3]; ' +
        'expected a of shape [1], got [1, 1]; expected n of int32, got float32',
    ),
  )
  expect(() => g.loadStateDict(more, state, { strict: false })).toThrow(
    new g.ShapeError(
      'loadStateDict: expected w of shape [2], got [3]; expected a of shape [1], got [1, 1]; expected n of int32, got float32',
    ),
  )
  expect(valuesOf(g.stateDict(more))).toEqual({ w: [1, 2], n: 3, a: [1], b: [2] })
})

test('of many names not all are listed that are expected, but all that are not there', () => {
  const many = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`v${i}`, g.variable(i)]))
  const { v3, v19, ...others } = g.stateDict(many)
  expect(() => g.loadStateDict(many, others)).toThrow(/exactly the names v0, [^…]*v11, …, got no v3, v19$/)
})

test('without strict what is there is taken over, and the rest reported', () => {
  const { w, n } = variables()
  expect(g.loadStateDict({ w, n }, { w: [3, 4], x: [1], y: 2 }, { strict: false })).toEqual({
    missing: ['n'],
    unexpected: ['x', 'y'],
  })
  expect(valuesOf(g.stateDict({ w, n }))).toEqual({ w: [3, 4], n: 3 })
  expect(g.loadStateDict({ w, n }, { w: [5, 6], n: 7 })).toEqual({ missing: [], unexpected: [] })
  expect(() => g.loadStateDict({ w, n }, { w: [3, 4, 5] }, { strict: false })).toThrow(g.ShapeError)
  expect(valuesOf(g.stateDict({ w, n }))).toEqual({ w: [5, 6], n: 7 })
})
