/** From a configuration to a run, and what is made of it: train, evaluate, predict, export, info, in processes of their own. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import * as onnx from '../../lib/onnx/index.ts'
import { flowers, flowersConfig, galvani, type Outcome, workFolder } from '../support/command.ts'

const folder = workFolder()
const call = (...args: string[]) => galvani(args, { cwd: folder.path })
const json = (path: string) => JSON.parse(readFileSync(join(folder.path, path), 'utf8'))
const eventsIn = ({ out }: Outcome) =>
  out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

let trained: Outcome
beforeAll(async () => {
  folder.write('flowers.csv', flowers())
  folder.write('flowers.json', flowersConfig)
  trained = await call('train', 'flowers.json')
}, 60_000)

describe('galvani train', () => {
  test('says where the model is on stdout, and how training goes on stderr', () => {
    expect(trained).toMatchObject({ code: 0, out: 'runs/flowers/model.safetensors\n' })
    const lines = trained.errors.trim().split('\n')
    expect(lines[0]).toBe('90 rows to learn 3 classes from and 30 to validate on; 131 parameters; runs/flowers')
    expect(lines.slice(1)).toHaveLength(8)
    expect(lines.at(-1)).toMatch(
      /^epoch 8\/8: loss [\d.]+, accuracy 1\.000, validation\.loss [\d.]+, validation\.accuracy 1\.000 in /,
    )
  })

  test('keeps the configuration as used, what the data are, the model and checkpoints', async () => {
    expect(json('runs/flowers/config.json')).toEqual({
      ...flowersConfig,
      ...{ loss: 'crossEntropy', batchSize: 32, seed: 0 },
      data: { type: 'csv', ...flowersConfig.data },
    })
    expect(json('runs/flowers/run.json').data).toMatchObject({
      columns: [
        { name: 'length', type: 'number', hasMissing: true },
        { name: 'width', type: 'number', hasMissing: false },
        { name: 'soil', type: 'category', categories: ['dry', 'wet'] },
      ],
      target: { type: 'classes', column: 'kind', names: ['iris', 'rose', 'tulip'] },
    })
    const state = await g.load(join(folder.path, 'runs/flowers/model.safetensors'))
    // Those of the layers have the names that they have in a model of their own.
    expect(Object.keys(state).sort()).toEqual([
      ...['0.bias', '0.weight', '2.bias', '2.weight'],
      ...['prepare.steps.0.fill', 'prepare.steps.1.mean', 'prepare.steps.1.std'],
    ])
    expect(state['0.weight']!.shape).toEqual([16, 4])
    expect(existsSync(join(folder.path, 'runs/flowers/checkpoints'))).toBe(true)
  })

  test('gives the same model with the same seed, and another one with another', async () => {
    const outcomes = [
      await call('train', 'flowers.json', '--quiet', '--out', 'same'),
      await call('train', 'flowers.json', '--quiet', '--out', 'other', '--seed', '5'),
    ]
    expect(outcomes).toMatchObject([
      { code: 0, out: '', errors: '' },
      { code: 0, out: '', errors: '' },
    ])
    const bytes = (run: string) => readFileSync(join(folder.path, run, 'model.safetensors')).toString('latin1')
    expect(bytes('same')).toBe(bytes('runs/flowers'))
    expect(bytes('other')).not.toBe(bytes('same'))
    expect(json('other/config.json').seed).toBe(5)
  })

  test('puts values into the configuration by --set, and tells machines by --json', async () => {
    const outcome = await call(
      'train',
      'flowers.json',
      '--json',
      '--out',
      'set',
      '--set',
      'epochs=2',
      '--set',
      'model.0.outFeatures=4',
    )
    expect(outcome).toMatchObject({ code: 0, errors: '' })
    const events = eventsIn(outcome)
    expect(events[0]).toMatchObject({ type: 'begin', run: 'set', rows: { train: 90, validation: 30 }, parameters: 35 })
    expect(events.filter(({ type }) => type === 'epoch')).toMatchObject([
      { epoch: 1, epochs: 2, loss: expect.any(Number), validation: { accuracy: expect.any(Number) } },
      { epoch: 2, epochs: 2 },
    ])
    expect(events.at(-1)).toMatchObject({ type: 'end', state: 'ended', run: 'set', model: 'set/model.safetensors' })
  })

  test('goes on with a run, with more epochs, and ends with the same bits', async () => {
    await call('train', 'flowers.json', '--quiet', '--out', 'parts', '--set', 'epochs=3')
    const { code } = await call('train', '--resume', 'parts', '--set', 'epochs=8', '--quiet')
    expect(code).toBe(0)
    const bytes = (run: string) => readFileSync(join(folder.path, run, 'model.safetensors')).toString('latin1')
    expect(bytes('parts')).toBe(bytes('runs/flowers'))
    // A run that has ended is not begun anew by its name.
    expect(await call('train', 'flowers.json', '--out', 'parts')).toMatchObject({
      code: 2,
      errors:
        'galvani: there is a training in parts\n  --resume parts goes on with it, and --out <folder> begins another\n',
    })
  })

  test('calls the second run of a name by another', async () => {
    const { out } = await call('train', 'flowers.json', '--set', 'epochs=1')
    expect(out).toBe('runs/flowers-2/model.safetensors\n')
  })

  test('takes a configuration and a model in TypeScript, without galvani installed there', async () => {
    folder.write(
      'own/model.ts',
      "import { nn } from 'galvani'\nimport { width } from './width.js'\nexport default ({ inputShape, outputs }: { inputShape: number[]; outputs: number }) => nn.sequential(nn.linear(inputShape[0]!, width), nn.relu(), nn.linear(width, outputs))\n",
    )
    folder.write('own/width.ts', 'export const width: number = 6\n')
    folder.write(
      'own/train.config.ts',
      `import * as g from 'galvani'
import type { Tensor } from 'galvani'
const data = { path: '../flowers.csv', target: 'kind' } satisfies object
export default {
  data, model: './model.ts', epochs: 3, validation: 0.2,
  loss: (prediction: Tensor, target: Tensor): Tensor => g.losses.crossEntropy(prediction, target),
  optimizer: g.optim.sgd({ learningRate: 0.1 }),
}
`,
    )
    expect(await call('train', 'own/train.config.ts', '--quiet', '--out', 'own/run')).toMatchObject({
      code: 0,
      errors: '',
    })
    const { out } = await call('evaluate', 'own/run')
    expect(out).toMatch(/^loss [\d.e-]+ \(24 rows of the validation set\)\n$/)
  })

  test.each<[string, object, RegExp]>([
    ['numbers', { data: { path: 'numbers.csv', target: 'y' }, epochs: 60 }, /mse|loss [\d.e-]+/],
    ['several numbers', { data: { path: 'numbers.csv', target: ['y', 'z'] }, epochs: 3 }, /loss/],
    [
      'two classes by one number',
      { data: { path: 'two.jsonl', target: 'good' }, loss: 'bce', metrics: ['binaryAccuracy'] },
      /binaryAccuracy 1\b/,
    ],
    ['arrays', { data: { type: 'npz', path: 'arrays.npz', normalize: 'standard' }, metrics: ['accuracy'] }, /accuracy/],
  ])('learns %s', async (name, change, scores) => {
    const points = Array.from({ length: 64 }, (_, i) => [Math.sin(i), Math.cos(3 * i)] as const)
    folder.write('numbers.csv', `a,b,y,z\n${points.map(([a, b]) => `${a},${b},${2 * a - b + 10},${a * 3}\n`).join('')}`)
    folder.write('two.jsonl', points.map(([a, b]) => `${JSON.stringify({ v: [a, b], good: a > 0 })}\n`).join(''))
    const x = g.tensor(points.flat(), { shape: [64, 2] })
    await g.saveNpz(join(folder.path, 'arrays.npz'), {
      x,
      y: g.tensor(Int32Array.from(points, ([a]) => (a > 0 ? 1 : 0))),
    })
    folder.write('task.json', {
      model: [{ type: 'linear', outFeatures: 16 }, 'relu', 'linear'],
      optimizer: { type: 'adam', learningRate: 0.05 },
      epochs: 20,
      validation: 0.25,
      ...change,
    })
    const run = `learn ${name}`
    expect(await call('train', 'task.json', '--quiet', '--out', run)).toMatchObject({ code: 0, errors: '' })
    expect((await call('evaluate', run)).out).toMatch(scores)
  })
})

describe('galvani evaluate', () => {
  test('scores a run on what was held back, or on other data', async () => {
    expect((await call('evaluate', 'runs/flowers')).out).toMatch(
      /^loss [\d.e-]+, accuracy 1 \(30 rows of the validation set\)\n$/,
    )
    folder.write('more.csv', flowers(30))
    const outcome = await call(
      'evaluate',
      'runs/flowers',
      '--data',
      'more.csv',
      '--metrics',
      'accuracy,logLoss',
      '--json',
    )
    expect(eventsIn(outcome)).toEqual([
      {
        type: 'scores',
        model: 'runs/flowers',
        data: 'more.csv',
        rows: 30,
        scores: { loss: expect.any(Number), accuracy: 1, logLoss: expect.any(Number) },
      },
    ])
  })

  test('scores a checkpoint of it', async () => {
    const { out, code } = await call('evaluate', 'runs/flowers/checkpoints/step-0000000021.safetensors')
    expect([code, out]).toEqual([0, expect.stringContaining('30 rows')])
  })

  test('says which row has a class that the model does not know', async () => {
    folder.write('unknown.csv', 'length,width,soil,kind\n1,2,dry,iris\n1,2,dry,weed\n')
    expect(await call('evaluate', 'runs/flowers', '--data', 'unknown.csv')).toMatchObject({
      code: 1,
      errors: 'galvani: expected kind to be one of iris, rose, tulip, got "weed"\n  in unknown.csv, row 2\n',
    })
  })
})

describe('galvani predict', () => {
  const rows = 'length,width,soil\n0.1,5,dry\n,3,wet\n6.2,1,swamp\n'

  test('gives names of classes and their probabilities', async () => {
    folder.write('new.csv', rows)
    const { out, code } = await call('predict', 'runs/flowers', 'new.csv', '--keep', 'soil', '--probabilities')
    expect(code).toBe(0)
    const lines = out
      .trim()
      .split('\n')
      .map((line) => line.split(','))
    expect(lines[0]).toEqual([
      'soil',
      'prediction',
      'probability',
      'probability.iris',
      'probability.rose',
      'probability.tulip',
    ])
    expect(lines.slice(1).map(([soil, prediction]) => `${soil} ${prediction}`)).toEqual([
      'dry iris',
      'wet rose',
      'swamp tulip',
    ])
    for (const [, , probability, ...all] of lines.slice(1)) {
      expect(Math.max(...all.map(Number))).toBe(Number(probability))
      expect(all.reduce((sum, each) => sum + Number(each), 0)).toBeCloseTo(1)
    }
  })

  test('reads stdin, and writes a file whole', async () => {
    const input = '{"length": 0.1, "width": 5, "soil": "dry"}\n\n{"length": null, "width": 3, "soil": "wet"}\n'
    const args = ['predict', 'runs/flowers', '--format', 'jsonl', '--out', 'said.jsonl']
    expect(await galvani(args, { cwd: folder.path, input })).toMatchObject({ code: 0, out: '', errors: '' })
    const said = readFileSync(join(folder.path, 'said.jsonl'), 'utf8').trim().split('\n')
    expect(said.map((line) => JSON.parse(line).prediction)).toEqual(['iris', 'rose'])
  })

  test('says the same as the exported model', async () => {
    expect(await call('export', 'runs/flowers', '--out', 'flowers.onnx')).toMatchObject({
      code: 0,
      out: 'flowers.onnx\n',
    })
    const model = await onnx.load(join(folder.path, 'flowers.onnx'))
    expect(JSON.parse(model.info.metadata.classes!)).toEqual(['iris', 'rose', 'tulip'])
    // A missing number, and a category as 1 and 0.
    const probabilities = model.forward(g.tensor([[Number.NaN, 3, 0, 1]])).softmax(-1)
    const { out } = await galvani(['predict', 'runs/flowers', '--format', 'csv', '--probabilities', '--to', 'jsonl'], {
      cwd: folder.path,
      input: 'length,width,soil\n,3,wet\n',
    })
    expect(Object.values(JSON.parse(out).probabilities)).toEqual(
      (probabilities.arraySync() as number[][])[0]!.map((p) => expect.closeTo(p, 5)),
    )
    expect(await call('predict', 'flowers.onnx', 'numbers-only.csv')).toMatchObject({ code: 2 })
  })

  test.each([
    [
      'length,width,soil\n1,2,dry\n1,two,dry\n',
      'galvani: expected a number as width, got "two"\n  in bad.csv, row 2\n',
    ],
    ['length,soil\n1,dry\n', 'galvani: expected a number as width, got none\n  in bad.csv, row 1\n'],
    ['length,width,soil\n1,2\n', 'galvani: Invalid Record Length'],
    ['length,width,soil\n"1,2,dry\n', 'galvani: Quote Not Closed'],
  ])('says which row does not fit: %j', async (content, message) => {
    folder.write('bad.csv', content)
    const { code, errors } = await call('predict', 'runs/flowers', 'bad.csv')
    expect([code, errors]).toEqual([1, expect.stringContaining(message)])
    expect(errors).not.toMatch(/^ +at /m)
  })
})

describe('galvani export', () => {
  test('writes parameters as safetensors, in another dtype too', async () => {
    await call('export', 'runs/flowers', '--out', 'half.safetensors', '--dtype', 'float16')
    const file = await g.open(join(folder.path, 'half.safetensors'))
    expect(file.tensors['0.weight']).toMatchObject({ dtype: 'F16', shape: [16, 4] })
    expect(JSON.parse(file.metadata.classes!)).toEqual(['iris', 'rose', 'tulip'])
    await file.close()
  })
})

describe('galvani info', () => {
  test.each<[string[], RegExp[]]>([
    [[], [/^backend {7}native$/m, /^threads {7}\d+ \(/m]],
    [['runs/flowers'], [/^run: 131 parameters, of model\.safetensors$/m, /classes: iris, rose, tulip/, /Linear/]],
    [['flowers.json'], [/^configuration: 131 parameters$/m, /^rows: train 90, validation 30$/m]],
    [['flowers.csv'], [/^csv: 120 rows, 4 columns$/m, /^length +number +1 /m, /^kind +text +0 +3 different/m]],
    [['runs/flowers/model.safetensors'], [/^safetensors: 7 tensors/m, /^0\.weight +F32 +\[16, 4\] +64$/m]],
    [['runs/flowers/checkpoints/step-0000000024.safetensors'], [/^after 24 steps: 8 epochs$/m]],
    [['flowers.onnx'], [/^ONNX: \d+ parameters$/m, /input input float32\[batch, 4\]/]],
    [['arrays.npz'], [/^npz: 2 tensors/m, /^x +float32 +\[64, 2\]/m]],
  ])('of %j', async (args, found) => {
    const { code, out, errors } = await call('info', ...args)
    expect([code, errors]).toEqual([0, ''])
    for (const each of found) expect(out).toMatch(each)
    const asJson = await call('info', ...args, '--json')
    expect(JSON.parse(asJson.out)).toHaveProperty('kind')
  })
})

describe('what is wrong', () => {
  test.each<[string[], number, string]>([
    [
      ['train', 'nothing.json'],
      2,
      'galvani: there is no file nothing.json\n  galvani new <folder> makes a project with one\n',
    ],
    [['train'], 2, 'galvani: expected a configuration, got none'],
    [['train', 'flowers.csv'], 2, 'galvani: expected a configuration (.json, .ts, .mjs), got flowers.csv\n'],
    [['train', 'syntax.json'], 2, 'galvani: expected JSON, got '],
    [['train', 'throws.mjs'], 1, 'galvani: mine\n  in throws.mjs\n'],
    [['train', 'nothing.mjs'], 2, 'galvani: expected a configuration as default export, got none\n  in nothing.mjs\n'],
    [['train', 'syntax.ts'], 1, 'galvani: '],
    [
      ['train', 'flowers.json', '--set', 'data.target=kin'],
      1,
      'galvani: expected the columns kin, got length, width, soil, kind\n  in flowers.csv\n',
    ],
    [['train', 'flowers.json', '--set', 'data.path=none.csv'], 1, 'none.csv'],
    [
      ['train', 'flowers.json', '--set', 'epochs=0'],
      2,
      'galvani: a fault in flowers.json\n  epochs  expected an integer from 1, got 0\n',
    ],
    [
      ['train', 'flowers.json', '--set', 'model.2={"type":"linear","outFeatures":2}'],
      2,
      'expected to give 3 for each row, as of the 3 classes of the data, got 2',
    ],
    [['train', 'flowers.json', '--set', 'model.0="maxPool2d"'], 2, 'model[0].kernelSize  is missing'],
    [
      ['train', 'flowers.json', '--set', 'model.0={"type":"conv2d","outChannels":3,"kernelSize":3}'],
      2,
      'model[0]  conv2d: expected',
    ],
    [
      ['train', 'flowers.json', '--seed', '-1'],
      2,
      "galvani: option '--seed <number>' argument '-1' is invalid. expected an integer",
    ],
    [['train', 'flowers.json', '--sed', '1'], 2, "galvani: unknown option '--sed'"],
    [['evaluate', 'nothing'], 2, 'galvani: there is no nothing\n'],
    [['evaluate', 'flowers.csv'], 2, 'galvani: expected a run or a model'],
    [
      ['predict', 'runs/flowers'],
      2,
      'galvani: expected a format for stdin, got none\n  --format csv or --format jsonl\n',
    ],
    [
      ['export', 'runs/flowers', '--out', 'model.txt'],
      2,
      'galvani: --out: expected a file that ends in .onnx or .safetensors, got model.txt\n',
    ],
    [['board', 'nowhere'], 2, 'galvani: there is no folder nowhere\n'],
    [['trian'], 2, "galvani: unknown command 'trian'"],
  ])('%j ends with %i', async (args, code, message) => {
    folder.write('syntax.json', '{\n  "data": {,\n}')
    folder.write('throws.mjs', "throw new Error('mine')")
    folder.write('nothing.mjs', 'export const config = {}')
    folder.write('syntax.ts', 'export default { data: ')
    const outcome = await call(...args)
    expect(outcome.code).toBe(code)
    expect(outcome.errors).toContain(message)
    expect(outcome.errors).not.toMatch(/^ +at /m)
    expect(outcome.out).toBe('')
  })

  test('is shown with its stack by --debug, and by GALVANI_DEBUG', async () => {
    const call = { cwd: folder.path, env: { GALVANI_DEBUG: '1' } }
    for (const outcome of [
      await galvani(['train', 'throws.mjs', '--debug'], { cwd: folder.path }),
      await galvani(['--debug', 'train', 'throws.mjs'], { cwd: folder.path }),
      await galvani(['train', 'throws.mjs'], call),
    ])
      expect(outcome.errors).toMatch(/^ +at .*throws\.mjs/m)
  })

  test('is told apart from a wrong setting of the environment', async () => {
    const { code, errors } = await galvani(['train', 'flowers.json'], { cwd: folder.path, env: { GALVANI_ISA: 'mmx' } })
    expect([code, errors]).toEqual([1, expect.stringMatching(/^galvani: GALVANI_ISA: expected .*, got mmx\n$/)])
  })

  test('is an object for machines', async () => {
    const outcome = await call('train', 'flowers.json', '--json', '--set', 'data.target=kin')
    expect([outcome.code, outcome.errors]).toEqual([1, ''])
    expect(eventsIn(outcome)).toEqual([
      { type: 'error', message: 'expected the columns kin, got length, width, soil, kind', where: 'flowers.csv' },
    ])
  })
})
