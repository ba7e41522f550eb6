/** What the console shows of tensors, and what JavaScript's operators do with them. */
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'

const shown = (t: g.Tensor): string => {
  g.evaluateSync(t)
  return inspect(t).split('\n').slice(1).join('\n')
}

describe('the console', () => {
  test('shows the type of a value that is not computed, and does not compute it', () => {
    const t = g.tensor([1, 2]).add(1)
    expect(inspect(t)).toBe('Tensor float32[2]')
    expect(t.graph()).toContain('add')
    g.evaluateSync(t)
    expect(inspect(t)).toBe('Tensor float32[2]\n[2 3]')
    expect(inspect({ t })).toContain('Tensor float32[2]')
  })

  test('shows variables with their names', () => {
    expect(inspect(g.variable([[1.5, -2]], { name: 'w' }))).toBe('Variable w float32[1, 2]\n[[ 1.5 -2.0]]')
  })

  // The layouts are those of numpy 2 under np.set_printoptions(precision=4, suppress=False, linewidth=80), whose "1." is 1 here.
  test.each([
    [() => g.tensor(3), '3'],
    [() => g.tensor([]), '[]'],
    [() => g.zeros([2, 0]), '[[]\n []]'],
    [() => g.tensor([1, -0, NaN, Infinity]), '[       1       -0      NaN Infinity]'],
    [() => g.tensor([0.1, 22.25, -3]), '[ 0.10 22.25 -3.00]'],
    [() => g.tensor([1 / 3, 2]), '[0.3333 2.0000]'],
    [() => g.tensor([1e-7, 1]), '[1.0000e-7 1.0000e+0]'],
    [() => g.tensor([true, false]), '[ true false]'],
    [() => g.tensor([1, 255], { dtype: 'uint8' }), '[  1 255]'],
    [() => g.arange(8).reshape([2, 2, 2]), '[[[0 1]\n  [2 3]]\n\n [[4 5]\n  [6 7]]]'],
    [
      () => g.arange(30, undefined, { dtype: 'int32' }),
      '[ 0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25\n 26 27 28 29]',
    ],
    [() => g.arange(2000), '[   0    1    2 ... 1997 1998 1999]'],
    [
      () => g.arange(2000).reshape([1000, 2]),
      '[[   0    1]\n [   2    3]\n [   4    5]\n ...\n [1994 1995]\n [1996 1997]\n [1998 1999]]',
    ],
  ])('lays out %o', (make, text) => {
    expect(shown(make())).toBe(text)
  })

  test('of a value that a run is still writing shows its type', async () => {
    const v = g.variable([1])
    const step = g.compile(() => v.assign(v.add(1)))
    const running = step()
    expect(inspect(v)).toMatch(/^Variable float32\[1\](\n\[2\])?$/)
    await running
    expect(inspect(v)).toBe('Variable float32[1]\n[2]')
  })
})

describe('operators of JavaScript', () => {
  const t = g.tensor([1, 2]) as unknown as number

  test.each([
    ['+', () => t + 1],
    ['*', () => t * 3],
    ['-', () => -t],
    ['>', () => t > 1],
    ['<=', () => 1 <= t],
    ['+ of a text', () => ['text', t].reduce((a, b) => (a as unknown as number) + (b as number))],
    ['Math.max', () => Math.max(t, 1)],
    ['of a variable', () => (g.variable(1) as unknown as number) + 1],
  ])('%s throws and names the methods', (_, use) => {
    expect(use).toThrow(TypeError)
    expect(use).toThrow(/x\.add\(y\).*x\.mul\(y\).*x\.greater\(y\).*itemSync/)
  })

  test('a text holds the type', () => {
    expect(`${t}`).toBe('Tensor float32[2]')
    expect(String(t)).toBe('Tensor float32[2]')
  })
})
