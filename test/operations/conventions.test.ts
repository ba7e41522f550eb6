/** Every line of docs/conventions.md: the expression gives what stands beside it, on every backend. */
import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { backends } from '../runtime/backends.ts'

interface Convention {
  readonly title: string
  readonly expression: string
  readonly gives: string
}

const text = readFileSync(new URL('../../docs/conventions.md', import.meta.url), 'utf8')

const conventions: readonly Convention[] = [...text.matchAll(/^\| (.+?) +\| `(.+)` +\| (.+?) +\|$/gm)].map(
  ([, title, expression, gives]) => ({ title: title!, expression: expression!, gives: gives! }),
)

/** Nested arrays as they are written, with −0 as 0. */
function format(x: g.NestedArray): string {
  if (Array.isArray(x)) return `[${x.map(format).join(', ')}]`
  return String(x === 0 ? 0 : x)
}

function evaluate(expression: string): string {
  try {
    const tensor: g.Tensor = new Function('g', `return ${expression}`)(g)
    return `${tensor.dtype} ${format(tensor.arraySync())}`
  } catch (error) {
    return String(error)
  }
}

test('the document has lines, and nothing but lines, in its tables', () => {
  const rows = text.split('\n').filter((line) => line.startsWith('|') && !/^\| (-+|convention) +\|/.test(line))
  expect(conventions.length).toBe(rows.length)
  expect(conventions.length).toBeGreaterThan(40)
})

describe.each(backends)('on %s', (backend) => {
  beforeAll(() => g.setBackend(backend))

  test.each(conventions)('$title: $expression', ({ expression, gives }) => {
    const found = evaluate(expression)
    expect(gives.includes('Error: ') ? found.slice(0, gives.length) : found).toBe(gives)
  })
})
