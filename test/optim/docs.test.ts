/** The tables of docs/optimizers.md have what there is, with its defaults, and the optimizer of the example takes its steps. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { adabelief } from '../../examples/custom-optimizer.ts'
import * as g from '../../lib/index.ts'
import { expectClose } from '../support/close.ts'

const text = readFileSync(new URL('../../docs/optimizers.md', import.meta.url), 'utf8')

/** The rows of a table after a heading, by the first name in each. */
function rowsOf(heading: string): Record<string, string> {
  const part = text.slice(text.indexOf(`## ${heading}`)).split('\n## ')[0]!
  const rows = part.split('\n').filter((line) => /^\| `\w+/.test(line) && !/`g\.\w+\.`/.test(line))
  return Object.fromEntries(rows.map((row) => [/`(\w+)/.exec(row)![1]!, row]))
}

test('every optimizer, schedule and link is in its table', () => {
  const classes = ['Optimizer', 'AveragingOptimizer', 'LbfgsOptimizer', 'optimizer', 'globalNorm']
  const tables = [rowsOf('The optimizers'), rowsOf('Around an optimizer')]
  const names = tables.flatMap((table) => Object.keys(table))
  expect(names.sort()).toEqual(
    Object.keys(g.optim)
      .filter((name) => !classes.includes(name))
      .sort(),
  )
  const schedules = Object.keys(g.schedules).filter((name) => !['Schedule', 'PlateauSchedule'].includes(name))
  expect(Object.keys(rowsOf('Schedules')).sort()).toEqual(schedules.sort())
})

/** What the table says that an option is unless given. */
const defaultsOf = (row: string): Record<string, unknown> =>
  Object.fromEntries(
    [...row.matchAll(/`(\w+)` (−?[\d.]+(?:e-?\d+)?|true|false|`'\w+'`)/g)].map(([, name, value]) => [
      name,
      value!.startsWith('`') ? value!.slice(2, -2) : JSON.parse(value!.replace('−', '-')),
    ]),
  )

type Create = (options: object) => { minimize(loss: () => g.Tensor, w: object): unknown }

test.each(Object.entries(rowsOf('The optimizers')))('the defaults of %s are those of the table', (name, row) => {
  const create = (g.optim as unknown as Record<string, Create>)[name]!
  const defaults = defaultsOf(row)
  expect(Object.keys(defaults).length).toBeGreaterThan(0)
  const after = (options: object) => {
    const w = g.variable([[1, -2]], { dtype: 'float64' })
    const optimizer = create({ ...(name === 'sgd' && { learningRate: 0.1 }), ...options })
    for (let i = 0; i < 8; i++)
      optimizer.minimize(
        () =>
          w
            .sub([[0.5, 0.3]])
            .square()
            .sum()
            .exp(),
        { w },
      )
    return w.dataSync()
  }
  expect(after(defaults)).toEqual(after({}))
})

test('AdaBelief', () => {
  const w = g.variable([1, -2], { name: 'w', dtype: 'float64' })
  const optimizer = adabelief({ learningRate: 0.1, weightDecay: 0.2 })
  let [p, m, s] = [-2, 0, 0]
  for (let t = 1; t <= 4; t++) {
    optimizer.minimize(() => w.square().sum())
    const gradient = 2 * p
    m = 0.9 * m + 0.1 * gradient
    s = 0.999 * s + 0.001 * (gradient - m) ** 2 + 1e-8
    p -= 0.1 * (m / (1 - 0.9 ** t) / (Math.sqrt(s / (1 - 0.999 ** t)) + 1e-8) + 0.2 * p)
  }
  expectClose(w.dataSync()[1]!, p, 1e-12)
})
