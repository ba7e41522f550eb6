/** Models that are written for TensorFlow.js: read again here and, where it is installed, there. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as g from 'galvani'
import { afterAll, describe, expect, test } from 'vitest'
import * as keras from '../../lib/keras/index.ts'
import * as tfjs from '../../lib/tfjs/index.ts'
import { type Case, fixture, pathOf as kerasPath, listOf, modelOf, tensorOf } from '../keras/fixtures.ts'
import { customLayers } from '../keras/scale.ts'
import { expectClose } from '../support/close.ts'
import { expectOutputs, hasTfjs, installTfjs, loadTfjs, pathOf } from './fixtures.ts'

const { nn } = g
const scratch = mkdtempSync(join(tmpdir(), 'galvani-tfjs-'))
afterAll(() => rmSync(scratch, { recursive: true }))

/** What TensorFlow.js makes of a folder: the same numbers as the tensors given. */
async function outputsThere(folder: string, inputs: readonly g.Tensor[]): Promise<number[][]> {
  const { tf, tfl } = await loadTfjs()
  const json = JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8'))
  const [{ paths, weights }] = json.weightsManifest
  const bytes = Buffer.concat(paths.map((path: string) => readFileSync(join(folder, path))))
  const artifacts = { ...json, weightSpecs: weights, weightData: new Uint8Array(bytes).buffer }
  const model = await tfl.loadLayersModel({ load: async () => artifacts })
  const fed = inputs.map((x) => tf.tensor(Array.from(x.dataSync()), [...x.shape]))
  const outputs = [model.predict(fed.length === 1 ? fed[0] : fed)].flat()
  return outputs.map((output: { dataSync(): ArrayLike<number> }) => Array.from(output.dataSync()))
}

async function expectRoundTrip(model: keras.KerasModel, name: string, inputs: readonly g.Tensor[]): Promise<void> {
  const folder = join(scratch, name.replaceAll(/\W/g, '_'))
  await tfjs.save(model, folder)
  const forward = (model: keras.KerasModel) => listOf(model.forward(inputs.length === 1 ? inputs[0]! : [...inputs]))
  const expected = forward(model)
  const again = (await tfjs.load(join(folder, 'model.json'))) as keras.KerasModel
  for (const [i, output] of forward(again).entries()) expectClose(output, expected[i]!.dataSync())
  expect(Object.keys(again.stateDict()).length).toBe(Object.keys(model.stateDict()).length)
  if (!hasTfjs) return
  const there = await outputsThere(folder, inputs)
  for (const [i, values] of there.entries()) expectClose(expected[i]!, values, 2e-5)
}

test.skipIf(!hasTfjs)('TensorFlow.js is there', { meta: { install: installTfjs } }, () => expect(hasTfjs).toBe(true))

describe('an imported model', () => {
  test.each(['mlp', 'cnn'])('of Keras, %s', async (name) => {
    const { inputs } = fixture<Record<string, Case>>('files')[name]!
    await expectRoundTrip(await keras.load(kerasPath(`${name}.keras`)), name, inputs.map(tensorOf))
  })

  test('of TensorFlow.js, with nested and recurrent layers', async () => {
    const { inputs } = JSON.parse(readFileSync(pathOf('graph', 'expected.json'), 'utf8'))
    await expectRoundTrip((await tfjs.load(pathOf('graph'))) as keras.KerasModel, 'graph', inputs.map(tensorOf))
  })

  const cases = fixture<Record<string, Case>>('layers')
  const saved = Object.entries(cases).filter(([name]) =>
    /^(Dense|Conv[23]D($|, (same|dilation))|Conv1D($|, strides)|DepthwiseConv2D|SeparableConv2D|Conv2DTranspose, wide|(Max|Average)Pooling[12]D|Global\w+Pooling[12]D$|BatchNormalization$|LayerNormalization$|SimpleRNN$|LSTM$|GRU, reset before|Bidirectional$|Embedding|ELU|LeakyReLU|PReLU|Softmax$|Flatten$|Reshape|Permute|RepeatVector|ZeroPadding2D|Cropping2D|UpSampling2D$|Add$|Multiply|Average$|Maximum|Minimum|Concatenate|Activation (elu|relu|tanh|softplus|sigmoid)$)/.test(
      name,
    ),
  )

  test.each(saved)('of the layer %s', async (name, { config, weights, inputs }) => {
    await expectRoundTrip(modelOf(config, weights), `layer ${name}`, inputs.map(tensorOf))
  })

  test('with layers that TensorFlow.js has not is refused, with all of them', async () => {
    const model = await keras.load(kerasPath('graph.keras'))
    const failure = expect(tfjs.save(model, join(scratch, 'no'))).rejects
    await failure.toThrow(/MultiHeadAttention \(attention\).*GRUCell with reset_after.*Add \(add/)
    const custom = await keras.load(kerasPath('custom.keras'), { customLayers })
    await expect(tfjs.save(custom, join(scratch, 'no'))).rejects.toThrow('Scale (scale)')
    expect(readdirSync(scratch)).not.toContain('no')
  })
})

describe('a sequential of layers', () => {
  const expectSame = async (model: g.nn.Sequential, x: g.Tensor, options?: tfjs.SaveOptions) => {
    const folder = join(scratch, `sequential-${readdirSync(scratch).length}`)
    // Statistics that differ, as those of a model that was trained do.
    for (const buffer of model.buffers()) buffer.assign(g.uniform(buffer.shape, { min: 0.5, max: 2 }))
    model.eval()
    await tfjs.save(model, folder, options)
    const expected = (model.forward(x) as g.Tensor).dataSync()
    const again = (await tfjs.load(join(folder, 'model.json'))) as keras.KerasModel
    expectClose(again.forward(x) as g.Tensor, expected, 1e-5)
    if (hasTfjs) expectClose((await outputsThere(folder, [x]))[0]!, expected, 2e-5)
  }

  test('linear ones', async () => {
    const activations = [nn.relu(), nn.tanh(), nn.elu(), nn.leakyRelu(0.2), nn.silu(), nn.softplus(), nn.gelu()]
    const layers = activations.flatMap((layer) => [nn.linear(5, 5), layer])
    const model = nn.sequential(
      ...layers,
      nn.layerNorm(5),
      nn.dropout(0.5),
      nn.batchNorm1d(5),
      nn.linear(5, 2, { bias: false }),
      nn.softmax(),
    )
    await expectSame(model as never, g.randn([4, 5]))
  })

  test('convolutions, channels first and last', async () => {
    const first = nn.sequential(
      nn.conv2d(2, 3, 3, { padding: 'same' }),
      nn.batchNorm2d(3),
      nn.relu(),
      nn.maxPool2d(2),
      nn.conv2d(3, 2, 2, { stride: 2 }),
      nn.flatten(),
      nn.linear(8, 3),
    )
    await expectSame(first as never, g.randn([2, 2, 8, 8]), { inputShape: [2, 8, 8] })
    const layout = 'NHWC'
    const last = nn.sequential(
      nn.conv2d(2, 3, 3, { layout }),
      nn.batchNorm2d(3, { axis: -1 }),
      nn.avgPool2d(2, { layout }),
      nn.flatten(),
      nn.linear(27, 3),
    )
    await expectSame(last as never, g.randn([2, 8, 8, 2]), { inputShape: [8, 8, 2] })
  })

  test('names are kept, and what has no counterpart is refused', async () => {
    const model = nn.sequential([
      ['hidden', nn.linear(2, 3)],
      ['act', (x: g.Tensor) => x.sin()],
      ['odd', nn.conv2d(1, 1, 3, { padding: 1 })],
    ] as never)
    await expect(tfjs.save(model as never, join(scratch, 'no'))).rejects.toThrow(
      /Lambda\(.*\) \(act\), Conv2d\(.*padding=1\) \(odd\)/,
    )
    await expect(tfjs.save(nn.linear(1, 1) as never, join(scratch, 'no'))).rejects.toThrow(
      'an imported model, or a sequential one',
    )
    await expect(tfjs.save(nn.sequential(nn.relu()) as never, join(scratch, 'no'))).rejects.toThrow(
      'without an inputShape',
    )
  })
})

test.skipIf(!hasTfjs)(
  'what a model of TensorFlow.js gives, is what it gives there',
  { meta: { install: installTfjs } },
  async () => {
    expectOutputs(await tfjs.load(pathOf('mlp')), 'mlp')
    const { tf, converter } = await loadTfjs()
    const json = JSON.parse(readFileSync(pathOf('graph-several'), 'utf8'))
    const [{ paths, weights }] = json.weightsManifest
    const bytes = Buffer.concat(paths.map((path: string) => readFileSync(pathOf('graph-several', path))))
    const artifacts = { ...json, weightSpecs: weights, weightData: new Uint8Array(bytes).buffer }
    const model = await converter.loadGraphModel({ load: async () => artifacts })
    const [x, y] = JSON.parse(readFileSync(pathOf('graph-several', 'expected.json'), 'utf8')).inputs.map(tensorOf)
    const feed = (t: g.Tensor) => tf.tensor(Array.from(t.dataSync()), [...t.shape])
    const there = model.predict({ x: feed(x), y: feed(y) })
    const here = listOf((await tfjs.load(pathOf('graph-several'))).forward({ x, y }))
    for (const [i, output] of [there].flat().entries()) expectClose(here[i]!, output.dataSync(), 1e-5)
  },
)
