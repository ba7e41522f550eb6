/** What works on tensors and variables by name, or on all that it is given, refuses anything else by its own name. */
import { expect, test } from 'vitest'
import * as g from '../../lib/index.ts'

// biome-ignore lint/suspicious/noExplicitAny: junk has any type
type Any = any

const junk: Any[] = [1, null, 'x', [], Symbol('s'), () => 1, new Map(), Object.create(g.Tensor.prototype)]

test('variables and values by name', () => {
  for (const x of junk) {
    expect(() => g.stateDict(x)).toThrow(/^stateDict: expected variables by name, got/)
    expect(() => g.loadStateDict(x, {})).toThrow(/^loadStateDict: expected variables by name, got/)
    expect(() => g.loadStateDict({}, x)).toThrow(/^loadStateDict: expected values by name, got/)
    expect(() => g.stateDict({ w: x })).toThrow(/^stateDict: expected a variable as w, got/)
  }
  expect(() => g.loadStateDict({ w: g.variable(1) }, { w: 'x' as Any })).toThrow(/^loadStateDict: expected a tensor/)
})

test('what is evaluated', async () => {
  for (const x of junk.slice(0, -1)) {
    await expect(g.evaluate(x)).rejects.toThrow(/^evaluate: expected tensors, each an argument, got/)
    expect(() => g.evaluateSync(g.ones([1]), x)).toThrow(/^evaluateSync: expected tensors, each an argument, got/)
  }
})

test('the name of a backend', () => {
  for (const name of ['toString', '__proto__', 'x']) expect(() => g.setBackend(name as Any)).toThrow(RangeError)
  for (const name of [null, 1, Symbol('s'), {}])
    expect(() => g.setBackend(name as Any)).toThrow(/^setBackend: expected/)
})

test('shapes of draws, and bounds', () => {
  for (const shape of [true, undefined, 2 ** 31, g.ones([2])])
    expect(() => g.beta(shape as Any, { alpha: 1, beta: 1 })).toThrow(/^beta: expected/)
  for (const bound of [[1n], g.ones([1]), Uint8Array.of(1)]) {
    expect(() => g.geomspace(bound as Any, 2)).toThrow(/^geomspace: expected numbers as bounds, got/)
    expect(() => g.linspace(bound as Any, 2)).toThrow(/^linspace: expected numbers as bounds, got/)
  }
})
