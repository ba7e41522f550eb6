/** Text for terminals. */
import { afterEach, expect, test, vi } from 'vitest'
import { cutTo, hasColours, oneLine, paintIf, widthOf } from '../../lib/base/terminal.ts'
import { SparkLine } from '../../lib/train/callbacks/spark-line.ts'

afterEach(() => vi.unstubAllEnvs())

test.each([
  ['', 0],
  ['loss', 4],
  ['損失', 4],
  ['e\u0301', 1],
  ['👩‍🔬', 2],
  ['▇▁●■⠿', 5],
])('%s takes %d columns', (text, width) => expect(widthOf(text)).toBe(width))

test('a text is cut between letters, and never wider than was asked for', () => {
  expect(['abc', 'abcd', '損失損', '👩‍🔬👩‍🔬'].map((text) => cutTo(text, 3))).toEqual(['abc', 'ab…', '損…', '👩‍🔬…'])
  for (let width = 0; width < 8; width++) expect(widthOf(cutTo('a損b失c', width))).toBeLessThanOrEqual(width)
})

test('what would move the cursor or turn the direction is none any more', () => {
  expect(oneLine('a\r\n\t\x1b[31m\u009b\u2028\u202e\u2066b')).toBe(
    'a\ufffd\ufffd\ufffd\ufffd[31m\ufffd\ufffd\ufffd\ufffdb',
  )
  expect(oneLine('損失 é 👩‍🔬')).toBe('損失 é 👩‍🔬')
})

test.each([
  [true, '', 'xterm', true],
  [true, '1', 'xterm', false],
  [true, '', 'dumb', false],
  [false, '', 'xterm', false],
  [undefined, '', 'xterm', false],
])('of isTTY %s, NO_COLOR=%s and TERM=%s there are colours: %s', (isTTY, noColor, term, has) => {
  vi.stubEnv('NO_COLOR', noColor)
  vi.stubEnv('TERM', term)
  const stream = isTTY === undefined ? {} : { isTTY }
  expect(hasColours(stream)).toBe(has)
  expect(paintIf(has)('x', 'red')).toBe(has ? '\x1b[31mx\x1b[0m' : 'x')
})

test('a line of small bars shows how a number went from its first value on, however many there are', () => {
  const shown = (values: readonly number[]) => {
    const line = new SparkLine()
    for (const value of values) line.add(value)
    return String(line)
  }
  expect([shown([]), shown([1])]).toEqual(['', ''])
  expect(shown([1, 1, 1])).toBe('▁▁▁')
  expect(shown([1, 2, 3, 4, 5, 6, 7])).toBe('▁▂▃▄▅▆▇')
  for (const count of [8, 100, 64_000]) {
    const falling = shown(Array.from({ length: count }, (_, i) => count - i))
    expect(falling).toMatch(/^▇[▁-▇]{6}▁$/)
    expect([...falling].toSorted().toReversed().join('')).toBe(falling)
  }
})
