/** Plots as text. */
import { inspect, stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import * as g from '../../lib/index.ts'

const small = { width: 44, height: 5 }
/** With a line break before it, as inline snapshots have one. */
const textOf = (plot: g.plot.Plot, options: g.plot.TextOptions = small) => `\n${plot.text(options)}`

const epochs = [3, 1.5, 1, 0.75, 0.6].map((loss, i) => ({
  ...{ epoch: i, loss, accuracy: 1 - loss / 4, seconds: 1, waiting: 0, perClass: [1, 2] },
  ...(i % 2 === 0 ? { validation: { loss: loss + 0.2 } } : {}),
}))

test('a history is its scores by epoch, of training and of the validation set', () => {
  expect(textOf(g.plot.history({ epochs }))).toMatchInlineSnapshot(`
    "
    loss
    3 ┤●⢖⡢⢄⣀
      │  ⠈⠑⠢⣉⠑⠒⠤⣀⡀
    2 ┤      ⠉⠒⠤⣀⠈⠉⠒⠤⢄⣀
      │          ●⠑⠒⠒⠤⠤⠭⣑⣢⡤■⣀⣀⣀
    1 ┤                   ⠈●⠉⠉⠒⠛⠛⠛⠛⠭⠭●⠶⠶⠶⠶⢖⣒⣢⣤⣤■
      └┬─────────┬─────────┬─────────┬─────────┬
       1         2         3         4         5
                                         epoch →
    ● training  ■ validation

    accuracy
    0.8 ┤                  ⢀⣀⣀⣀⠤⠤⠤⠤⠤⠒⠒⠒⠒⠒⠒⠒⠉⠉⠉⠉⠉
    0.6 ┤         ⢀⣀⠤⠤⠔⠒⠒⠉⠉⠁
        │      ⣀⠤⠊⠁
    0.4 ┤   ⣀⠔⠊
        │⡠⠔⠉
        └┬────────┬─────────┬────────┬─────────┬
         1        2         3        4         5
                                         epoch →"
  `)
})

test('a history plots itself', async () => {
  const data = g.data.fromTensors([[1], [2]], [[1], [2]])
  const options = { epochs: 3, loss: 'mse', optimizer: g.optim.sgd({ learningRate: 0.01 }) } as const
  const history = await g.fit(g.nn.linear(1, 1), data, options)
  expect(history.plot().text()).toBe(g.plot.history(history).text())
  expect(() => history.plot({ scores: ['acuracy'] })).toThrow('history: expected a score of loss, got "acuracy"')
})

test('what is no number is a gap, and a point between two of them is seen', () => {
  const y = [0, 1, 2, Number.NaN, 4, Infinity, 2, 1, 0]
  expect(textOf(g.plot.lines({ y }))).toMatchInlineSnapshot(`
    "
    y
    4 ┤                    ●
      │
    2 ┤        ⢀⡠⠄                   ⠠⢄⡀
      │    ⣀⠤⠒⠉⠁                       ⠈⠉⠒⠤⣀
    0 ┤⣀⠤⠒⠉                                 ⠉⠒⠤⣀
      └┬─────────┬─────────┬─────────┬─────────┬
       0         2         4         6         8"
  `)
})

test('axes may be logarithmic', () => {
  const x = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1]
  const plot = g.plot.lines({ loss: { x, y: [900, 800, 90, 10, 1, 50] } }, { xLog: true, yLog: true, xLabel: 'rate' })
  expect(textOf(plot)).toMatchInlineSnapshot(`
    "
    loss
        │⠉⠉⠉⠉⠉⠉⠉⠉⠑⠢⠤⣀⡀
    100 ┤            ⠈⠑⠒⠤⢄⡀
        │                 ⠈⠑⠢⢄⡀              ⢀⠔⠊
        │                     ⠈⠑⠒⠤⣀⡀      ⢀⡠⠊⠁
      1 ┤                          ⠈⠉⠒⠤⢄⡠⠔⠁
        └┬──────────────┬──────────────┬────────
        1e-6          1e-4           0.01
                                          rate →"
  `)
})

test('a long series is drawn with its peaks', () => {
  const y = Array.from({ length: 1e6 }, (_, i) => (i === 654_321 ? 100 : 0))
  expect(textOf(g.plot.lines({ y }))).toMatchInlineSnapshot(`
    "
    y
    100 ┤                         ⡇
        │                         ⡇
     50 ┤                         ⣧
        │                         ⣿
      0 ┤⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣿⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀
        └┬──────────────────┬───────────────────
         0               500000"
  `)
})

test('several are told apart without colours, and by them', () => {
  const plot = g.plot.lines({ up: [1, 2, 3], down: [3, 2, 1] }, { title: 'two', xLabel: 'x', yLabel: 'y' })
  expect(textOf(plot)).toMatchInlineSnapshot(`
    "
    two
    ↑ y
    3 ┤⠉⠑⠒⠢⠤⢄⣀⡀                          ⣀⣀⠤⠤⠒⠒●
      │       ⠈⠉⠑⠒⠢⠤⢄⣀⡀          ⣀⣀⠤⠤⠒⠒⠉⠉
    2 ┤               ⠈⠉⢑⣒⡢■⠤⣒⣒⠉⠉
      │        ⣀⣀⡠⠤⠤⠒⠒⠉⠉⠁      ⠉⠉⠑⠒⠢⠤⢄⣀⣀
    1 ┤●⡠⠤⠔⠒⠒⠉⠉                         ⠉⠉⠒⠒⠢⠤⢄■
      └┬───────────────────┬───────────────────┬
       0                   1                   2
                                             x →
    ● up  ■ down"
  `)
  const coloured = plot.text({ ...small, colours: true })
  expect(stripVTControlCharacters(coloured)).toBe(plot.text(small))
  for (const code of [36, 33]) expect(coloured).toContain(`\x1b[${code}m`)
})

test('the console shows it, with colours where it has them', () => {
  const plot = g.plot.lines({ y: [1, 2] })
  expect(inspect(plot)).toBe(plot.text())
  expect(String(plot)).toBe(plot.text())
  expect(inspect(plot, { colors: true })).toBe(plot.text({ colours: true }))
})

test('a histogram is counted as g.histogram does', async () => {
  const plot = await g.plot.histogram([0, 1, 1, 2, 2, 2, 3, 3, 4], { bins: 5, title: 'values' })
  expect(textOf(plot)).toMatchInlineSnapshot(`
    "
    values
    ↑ count
      │                ████████
    2 ┤        ▃▃▃▃▃▃▃▃████████▃▃▃▃▃▃▃▃
      │        ████████████████████████
      │▅▅▅▅▅▅▅▅████████████████████████▅▅▅▅▅▅▅▅
    0 ┤████████████████████████████████████████
      └┬────────┬─────────┬─────────┬─────────┬
       0        1         2         3         4"
  `)
})

test('a histogram of many bins has no count less, and says what is not finite', async () => {
  const x = g.concat([g.randn([1000], { seed: 1 }), g.tensor([Number.NaN, Infinity, 9])])
  expect(textOf(await g.plot.histogram(x, { bins: 500 }))).toMatchInlineSnapshot(`
    "
    2 of 1003 are not finite
    ↑ count
       │        ▃ ▆█ ▁
    10 ┤        █▆██▆█▄
       │       ▇███████
       │     ▅▂████████▅▇▂
     0 ┤▃▃▅▃███████████████▃▃▃▃   ▃
       └──────────┬───────────────┬─────────────
                  0               5"
  `)
})

test('a confusion matrix has counts by class, or shades where there is no room', async () => {
  const counts = [
    [50, 2, 3],
    [4, 40, 1],
    [0, 0, 0],
  ]
  const labels = ['cat', 'dog', '鳥']
  expect(textOf(await g.plot.confusionMatrix(counts, { labels }))).toMatchInlineSnapshot(`
    "
    90 of 100 right (90.0%)
             predicted →
    actual ↓  cat   dog    鳥
         cat   50 █   2 ·   3 ·
         dog    4 ·  40 █   1 ·
          鳥    0     0     0"
  `)
  const many = await g.plot.confusionMatrix(g.eye(12).mul(8).add(1))
  expect(textOf(many, { width: 40 })).toMatchInlineSnapshot(`
    "
    108 of 240 right (45.0%)
             predicted →
    actual ↓
           0 ▒▒······················
           1 ··▒▒····················
           2 ····▒▒··················
           3 ······▒▒················
           4 ········▒▒··············
           5 ··········▒▒············
           6 ············▒▒··········
           7 ··············▒▒········
           8 ················▒▒······
           9 ··················▒▒····
          10 ····················▒▒··
          11 ······················▒▒"
  `)
  expect(textOf(await g.plot.confusionMatrix(g.eye(60)), { width: 30 })).toMatch(/… and 39 columns more$/)
})

test('a ROC curve has the area under it', async () => {
  const plot = await g.plot.rocCurve([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
  expect(textOf(plot)).toMatchInlineSnapshot(`
    "
    ROC, AUC 0.7500
    ↑ true positive rate
    1.0 ┤                   ⢸⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⡩⠍⠉⠛⠋⠉
        │                   ⢸    ⣀⡀ ⠔⠂ ⠉⠁
    0.5 ┤⡤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⢤⡤⠤⠤⠼ ⠊⠁
        │⡇        ⡠⠄ ⠒⠂ ⠁
    0.0 ┤⣇⡀ ⠔⠂ ⠉⠁
        └┬──────────────────┬──────────────────┬
        0.0                0.5               1.0
                           false positive rate →"
  `)
})

test('a schedule is its rates by step', async () => {
  const schedule = g.schedules.cosine({ peak: 0.1, steps: 100, warmup: 10 })
  expect(textOf(await g.plot.schedule(schedule, { steps: 100 }))).toMatchInlineSnapshot(`
    "
    learning rate
    0.10 ┤   ⢠⠋⠉⠉⠑⠒⠒⠦⠤⣀⣀
         │  ⢠⠃         ⠈⠉⠓⠢⢄⡀
    0.05 ┤ ⢀⠜               ⠈⠙⠒⠤⢄⡀
         │ ⡎                     ⠈⠑⠒⠤⣀⡀
    0.00 ┤⡰⠁                          ⠈⠉⠒⠒⠤⠤⢄⣀⣀⣀
         └┬─────────────────┬───────────────────
          0                50
                                          step →"
  `)
})

test.each([20, 21, 33, 200])('no line is wider than %d columns', async (width) => {
  const name = 'a very long name of a series '.repeat(10)
  const plots = [
    g.plot.history({ epochs }),
    g.plot.lines({ [name]: [1e-9, 3e-9], b: [1, 2] }, { title: name, xLabel: name, yLabel: name }),
    g.plot.lines({ y: [1e300, -1e300] }),
    await g.plot.histogram(g.arange(0, 100), { bins: 33 }),
    await g.plot.confusionMatrix(g.eye(3), { labels: [name, '長'.repeat(30), ''] }),
    await g.plot.rocCurve(
      [0, 1],
      [
        [0, 1],
        [1, 0],
      ],
      { names: [name, 'b'] },
    ), // prettier-ignore
  ]
  for (const plot of plots)
    for (const line of plot.text({ width, height: 3 }).split('\n')) expect(columnsIn(line)).toBeLessThanOrEqual(width)
})

const columnsIn = (line: string) => [...line].reduce((sum, letter) => sum + (/[長]/.test(letter) ? 2 : 1), 0)

test('names of others are shown in one line, whatever is in them', async () => {
  const name = 'a\x1b[2J\n\u202eb'
  const plots = [
    g.plot.lines({ [name]: [1, 2], c: [2, 3] }, { title: name, xLabel: name, yLabel: name }),
    await g.plot.confusionMatrix([[1]], { labels: [name] }),
    g.plot.history({ epochs: [{ [name]: 1 }] }),
  ]
  for (const plot of plots) {
    expect(plot.text()).toContain('a\ufffd[2J\ufffd\ufffdb')
    expect(plot.text()).not.toMatch(/\p{Cf}/u)
    expect(plot.text()).not.toContain('\x1b')
  }
})

test.each<[string, () => unknown, string]>([
  ['no epochs', () => g.plot.history({ epochs: [] }), 'history: expected a history of at least one epoch, got none'],
  ['no history', () => g.plot.history([] as never), 'history: expected a history, got an array'],
  ['no series', () => g.plot.lines({}), 'lines: expected at least one series, got none'],
  ['an empty series', () => g.plot.lines({ a: [] }), 'lines: expected at least one finite number, got none'],
  ['gaps alone', () => g.plot.lines({ a: [Number.NaN] }), 'lines: expected at least one finite number, got none'],
  ['nothing for a logarithm', () => g.plot.lines({ a: [0, -1] }, { yLog: true }), 'at least one finite number above 0'],
  ['texts', () => g.plot.lines({ a: ['1'] as never }), 'lines: expected numbers of a, got "1"'],
  ['a typed array of others', () => g.plot.lines({ a: new BigInt64Array(1) as never }), 'lines: expected numbers of a'],
  ['too few x', () => g.plot.lines({ a: { x: [1], y: [1, 2] } }), 'lines: expected as many x as y of a, got 1 and 2'],
  ['an unknown option', () => g.plot.lines({ a: [1] }, { xlog: true } as never), 'did you mean xLog?'],
  [
    'a narrow text',
    () => g.plot.lines({ a: [1] }).text({ width: 19 }),
    'text: expected a width from 20 to 1000, got 19',
  ],
])('%s is refused', (_, call, message) => expect(call).toThrow(message))

test.each<[string, () => Promise<unknown>, string]>([
  ['an empty tensor', () => g.plot.histogram(g.zeros([0])), 'histogram: expected at least one element'],
  ['NaN alone', () => g.plot.histogram([Number.NaN]), 'histogram: expected at least one finite element, got none'],
  ['no matrix', () => g.plot.confusionMatrix([1, 2]), 'confusionMatrix: expected counts as [classes, classes]'],
  ['a negative count', () => g.plot.confusionMatrix([[-1]]), 'confusionMatrix: expected finite counts from 0, got -1'],
  [
    'too few labels',
    () => g.plot.confusionMatrix(g.eye(2), { labels: ['a'] }),
    'confusionMatrix: expected 2 labels, got 1',
  ],
  ['labels of one kind', () => g.plot.rocCurve([1, 1], [0, 1]), 'rocCurve: expected labels of yes and of no'],
  [
    'a score of NaN',
    () => g.plot.rocCurve([0, 1], [0, Number.NaN]),
    'rocCurve: expected scores that are numbers, got NaN',
  ],
  ['too many names', () => g.plot.rocCurve([0, 1], [0, 1], { names: ['a', 'b'] }), 'rocCurve: expected 1 names, got 2'],
  ['other shapes', () => g.plot.rocCurve([0, 1], [1]), 'rocCurve: expected labels [rows] and scores'],
  ['no schedule', () => g.plot.schedule(0.1 as never, { steps: 3 }), 'schedule: expected a schedule, got 0.1'],
  [
    'no steps',
    () => g.plot.schedule(g.schedules.cosine({ peak: 1, steps: 9 }), {} as never),
    'schedule: expected a steps',
  ],
])('%s is refused', async (_, call, message) => {
  await expect(call()).rejects.toThrow(message)
})
