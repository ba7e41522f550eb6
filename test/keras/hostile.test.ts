/** Files that are damaged or want to do harm are refused in words. */
import { readFileSync } from 'node:fs'
import * as g from 'galvani'
import { describe, expect, test } from 'vitest'
import { memorySource } from '../../lib/files/source.ts'
import { membersOf, readMember, writeZip } from '../../lib/files/zip.ts'
import * as keras from '../../lib/keras/index.ts'
import { pathOf } from './fixtures.ts'

type Layer = { class_name: string; name?: string; config: Record<string, unknown>; inbound_nodes?: unknown[] }
type Config = { class_name: string; config: { layers: Layer[]; [name: string]: unknown } }

const bytesOf = (name: string) => new Uint8Array(readFileSync(pathOf(name)))

/** A `.keras` file with other members. */
async function changed(name: string, change: (members: Map<string, Uint8Array>) => void): Promise<Uint8Array> {
  const source = memorySource('test', bytesOf(name))
  const members = new Map<string, Uint8Array>()
  for (const member of await membersOf(source)) members.set(member.name, await readMember(source, member))
  change(members)
  const chunks: Uint8Array[] = []
  const written = Array.from(members, ([name, bytes]) => ({ name, size: bytes.length, chunks: once(bytes) }))
  for await (const chunk of writeZip(written)) chunks.push(chunk)
  return new Uint8Array(Buffer.concat(chunks))
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  yield bytes
}

const withConfig = (name: string, change: (config: Config) => unknown): Promise<Uint8Array> =>
  changed(name, (members) => {
    const config = JSON.parse(new TextDecoder().decode(members.get('config.json')!)) as Config
    members.set('config.json', new TextEncoder().encode(JSON.stringify(change(config) ?? config)))
  })

const layerIn = (config: Config, name: string): Layer =>
  config.config.layers.find((layer) => layer.config.name === name)!

async function refused(bytes: Uint8Array | string, message: string | RegExp): Promise<void> {
  const failure = expect(keras.load(bytes)).rejects
  await failure.toThrow(message)
  await failure.toThrow(g.DataFormatError)
}

describe('a file is refused', () => {
  test('that is none, or cut short', async () => {
    await refused(new Uint8Array(0), 'expected a file of Keras (.keras, .h5), got something else')
    await refused(new TextEncoder().encode('{"class_name": "Sequential"}'), 'expected a file of Keras')
    for (const name of ['small.keras', 'small.h5']) {
      const bytes = bytesOf(name)
      for (const size of [8, 100, 1000, bytes.length >> 1, bytes.length - 1])
        await expect(keras.load(bytes.subarray(0, size)), `${name} of ${size}`).rejects.toThrow(g.DataFormatError)
    }
  })

  test('that has no config or no weights', async () => {
    await refused(await changed('small.keras', (members) => members.delete('config.json')), 'expected config.json')
    await refused(
      await changed('small.keras', (members) => members.delete('model.weights.h5')),
      'expected model.weights.h5',
    )
    const other = bytesOf('mlp.weights.h5')
    await refused(
      await changed('cnn.keras', (members) => members.set('model.weights.h5', other)),
      'weights of the layer stem, got none',
    )
  })

  test('whose config is no JSON, too deep, or no model', async () => {
    const text = (text: string) =>
      changed('small.keras', (members) => members.set('config.json', new TextEncoder().encode(text)))
    await refused(await text('{"class_name": '), 'the config as JSON')
    await refused(await text('['.repeat(1e6)), 'the config at most 256 deep')
    await refused(await text('null'), 'expected a layer as { class_name, config }, got null')
    await refused(
      await text('{"class_name":"Dense","config":{"units":1}}'),
      'expected a Sequential or Functional model, got Dense',
    )
  })

  test('whose weights are of other shapes than its layers', async () => {
    const units = (value: unknown) =>
      withConfig('small.keras', (config) => {
        layerIn(config, 'd').config.units = value
      })
    await refused(await units(3), 'expected kernel of the layer d of shape [[…, 3], got [3, 2]'.replace('[[', '['))
    for (const value of [0, -1, 1.5, 2 ** 40, '2', null])
      await refused(await units(value), 'units as a positive integer')
    const input = (shape: unknown) =>
      withConfig('small.keras', (config) => {
        layerIn(config, 'x').config.batch_shape = shape
      })
    await refused(await input([null, 5]), 'expected a model whose layers fit each other')
    await refused(await input([null, 2 ** 31 - 1]), 'expected a model whose layers fit each other')
    await refused(await input([null, 2 ** 31, 2 ** 31]), 'expected a model whose layers fit each other')
    await refused(await input('wide'), 'batch_shape of extents')
  })

  test('with layers that are not known, all of which it names', async () => {
    const bytes = await withConfig('mlp.keras', (config) => {
      layerIn(config, 'hidden').class_name = 'Hidden'
      layerIn(config, 'classes').class_name = 'Lambda'
      layerIn(config, 'drop').class_name = 'constructor'
    })
    await refused(bytes, 'got Hidden (hidden), constructor (drop), Lambda (classes)')
  })

  test('with options that would be something else here', async () => {
    const activation = await withConfig('small.keras', (config) => {
      layerIn(config, 'd').config.activation = 'toString'
    })
    await refused(activation, 'an activation that is known as activation of the layer d, got toString')
  })

  test('whose layers call each other in a circle, or what there is not', async () => {
    const calls = (node: [string, number, number]) =>
      withConfig('cnn.keras', (config) => {
        const stem = layerIn(config, 'stem')
        stem.inbound_nodes = [
          { args: [{ class_name: '__keras_tensor__', config: { keras_history: node } }], kwargs: {} },
        ]
      })
    const after = (name: string) => name.startsWith('re_lu')
    let relu = ''
    await withConfig('cnn.keras', (config) => {
      relu = config.config.layers.map(({ config }) => String(config.name)).find(after)!
    })
    await refused(await calls([relu, 0, 0]), 'expected layers without a circle')
    await refused(await calls(['nowhere', 0, 0]), 'expected call 0 of a layer nowhere, got none')
    await refused(await calls(['image', 0, 3]), 'output 3 of the layer image')
    const twice = await withConfig('cnn.keras', (config) => void config.config.layers.push(config.config.layers[0]!))
    await refused(twice, 'two layers image')
  })

  test('with models in each other without end', async () => {
    const deep = (depth: number): unknown =>
      depth === 0
        ? { class_name: 'Dense', config: { units: 1 } }
        : { class_name: 'Sequential', config: { layers: [deep(depth - 1)] } }
    await refused(await withConfig('small.keras', () => deep(20)), 'models at most 16 deep')
  })
})

test('names of layers that modules have for something else are changed', async () => {
  for (const name of ['forward', '__proto__', 'a.b']) {
    const bytes = await withConfig('small.keras', (config) => {
      layerIn(config, 'd').config.name = name
    })
    const model = await keras.load(bytes)
    expect(Object.keys(model.namedParameters())[0]).toBe(
      { forward: 'forward_.kernel', ['__proto__']: '__proto___.kernel', 'a.b': 'a_b.kernel' }[name],
    )
    expect((model.forward(g.ones([2, 3])) as g.Tensor).shape).toEqual([2, 2])
  }
})

test('arguments that are none', async () => {
  const path = pathOf('small.keras')
  await expect(keras.load(3 as never)).rejects.toThrow('keras.load: expected a path or a Uint8Array, got 3')
  await expect(keras.load(path, { custom: {} } as never)).rejects.toThrow(
    'unknown option custom; the options are customLayers',
  )
  await expect(keras.load(path, { customLayers: { A: 1 } } as never)).rejects.toThrow('customLayers.A')
  await expect(keras.load(path, { customLayers: { Dense: () => 1 } } as never)).rejects.toThrow(
    'expected customLayers.Dense to give a Module, got 1',
  )
  await expect(keras.loadWeights({} as never, path)).rejects.toThrow('expected a model that keras.load made')
})
