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
