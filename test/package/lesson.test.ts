import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import * as lesson from '../../examples/lesson.ts'
import { formatNumber } from '../../examples/support/print.ts'
import { sigmoid, step } from '../../lib/index.ts'

/** Numbers by PyTorch in float64, nested as the shapes of the tensors are. */
const fixture = JSON.parse(readFileSync(new URL('../fixtures/lesson.json', import.meta.url), 'utf8'))

/** Equal in structure, and every number within `tolerance`, absolute below 1 and relative above. */
function expectClose(actual: unknown, expected: unknown, tolerance: number, path: string): void {
  if (Array.isArray(expected)) {
    expect(actual, path).toHaveLength(expected.length)
    for (const [i, value] of expected.entries())
      expectClose((actual as unknown[])[i], value, tolerance, `${path}[${i}]`)
    return
  }
  expect(actual, path).toBeTypeOf('number')
  const [a, e] = [actual, expected] as [number, number]
  expect(Math.abs(a - e), `${path}: expected ${e}, got ${a}`).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(e)))
}

describe.each([
  ['float32', 1e-6],
  ['float64', 1e-12],
] as const)('the lesson in %s agrees with PyTorch', (dtype, tolerance) => {
  const layer = ['loss', 'dw', 'db']
  test.each([
    ['step', () => lesson.step({ dtype }), ['x', 'values', 'gradients']],
    ['sigmoid', () => lesson.sigmoid({ dtype }), ['x', 'values', 'gradients']],
    ['tanh', () => lesson.tanh({ dtype }), ['x', 'values', 'gradients']],
    ['relu', () => lesson.relu({ dtype }), ['x', 'values', 'gradients']],
    ['leakyRelu', () => lesson.leakyRelu({ dtype }), ['x', 'values', 'gradients']],
    ['leakyReluSmall', () => lesson.leakyRelu({ dtype, slope: 0.01 }), ['x', 'values', 'gradients']],
    ['softmaxMeanSquaredError', () => lesson.softmaxMeanSquaredError({ dtype }), ['predictions', ...layer]],
    ['softmaxJacobian', () => lesson.softmaxJacobian({ dtype }), ['softmax', 'jacobian']],
    ['crossEntropy', () => lesson.crossEntropy({ dtype }), ['logits', 'rowLosses', ...layer]],
    ['perceptron', () => lesson.perceptron({ dtype }), ['output', ...layer]],
    ['perceptrons', () => lesson.perceptrons({ dtype }), ['output', ...layer]],
    ['himmelblau', () => lesson.himmelblau({ dtype }), ['starts', 'values', 'gradients', 'ends']],
  ])('%s', async (name, compute, keys) => {
    const actual: Record<string, unknown> = await compute()
    expect(Object.keys(actual).sort()).toEqual([...keys].sort())
    for (const key of keys) expectClose(actual[key], fixture[name][key], tolerance, `${name}.${key}`)
  })

  test('gradient descent reaches all four of Himmelblau’s minima', async () => {
    const { ends } = await lesson.himmelblau({ dtype })
    const { minima, reached } = fixture.himmelblau
    const expected = reached.map((minimum: number) => minima[minimum])
    expectClose(ends, expected, tolerance, 'ends')
    expect(new Set(reached).size).toBe(4)
  })

  test('a perceptron with a step function does not move', async () => {
    const { lossBefore, lossAfter, wBefore, wAfter } = await lesson.training(step, { dtype })
    expect(lossBefore).toBe(1)
    expect(lossAfter).toBe(1)
    expect(wAfter).toEqual(wBefore)
  })

  test('the same perceptron with a sigmoid learns', async () => {
    const { lossBefore, lossAfter, wBefore, wAfter } = await lesson.training(sigmoid, { dtype })
    expectClose(lossBefore, fixture.perceptron.loss, tolerance, 'loss')
    expect(lossAfter).toBeLessThan(0.01)
    expect(wAfter).not.toEqual(wBefore)
  })
})

describe('what is printed', () => {
  test.each([
    [-7 / 9, '-0.7778'],
    [7 / 9, '0.7778'],
    [0.00129, '0.0013'],
    [-12.34567, '-12.346'],
    [-9999.96, '-10000.0'],
    [0, '0.0000'],
    [-0.000126, '-1.3e-4'],
    [98765, '9.9e+4'],
  ])('of %d is %s', (value, text) => expect(formatNumber(value)).toBe(text.padStart(9)))

  test('is the nearest number of so many digits, whatever the sign', () => {
    for (let i = -2000; i <= 2000; i++) {
      const value = Math.sign(i) * Math.exp(Math.abs(i) / 200 - 5)
      const text = formatNumber(value)
      expect(text).toHaveLength(9)
      const [digits, exponent = '0'] = text.trim().split('e')
      const unit = 10 ** (Number(exponent) - (digits!.split('.')[1]?.length ?? 0))
      expect(Math.abs(Number(text) - value), text).toBeLessThanOrEqual(0.5001 * unit)
    }
  })
})
