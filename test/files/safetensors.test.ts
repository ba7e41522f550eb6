/** safetensors against the reference implementation: what it wrote is read, and what is written here are its bytes. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { decode, encode } from '../../lib/files/stored.ts'
import * as g from '../../lib/index.ts'
import { encodeSafetensors } from './encode-safetensors.ts'
import { errorOf, temporaryFolder } from './files.ts'

interface Numbers {
  readonly shape: number[]
  readonly data: number[]
}

interface Halves {
  readonly numbers: string
  readonly nans: number
  readonly rounded: string
  readonly roundedDoubles: string | null
}

const fixtures = JSON.parse(readFileSync(new URL('../fixtures/safetensors.json', import.meta.url), 'utf8')) as {
  all: string
  written: string
  writtenFloat16: string
  writtenBfloat16: string
  large: string
  values: Record<string, Numbers>
  shards: Record<string, string>
  halves: Record<'float16' | 'bfloat16', Halves>
}

const bytesOf = (base64: string) => new Uint8Array(Buffer.from(base64, 'base64'))

const all = bytesOf(fixtures.all)

const dtypes: Readonly<Record<string, g.DType>> = { u8: 'uint8', bool: 'bool', i: 'int32', u: 'int32' }
const dtypeFor = (name: string): g.DType => dtypes[name] ?? (/^[iu]\d/.test(name) ? 'int32' : 'float32')

/** A file of two shards, as Hugging Face wrote it. */
function shardedFolder(): string {
  const folder = temporaryFolder()
  for (const [name, base64] of Object.entries(fixtures.shards)) writeFileSync(join(folder, name), bytesOf(base64))
  return folder
}

const saves = { save: g.save, saveSync: g.saveSync }

const valuesOf = (state: Record<string, g.Tensor>) =>
  Object.fromEntries(Object.entries(state).map(([name, x]) => [name, [x.dtype, x.shape, [...x.dataSync()]]]))

function model(): g.nn.Module {
  return g.nn.sequential(g.nn.linear(3, 4), g.nn.batchNorm1d(4), g.nn.multiHeadAttention(4, 2))
}

describe('what the reference implementation wrote', () => {
  test('has all its types, shapes and values', async () => {
    const state = await g.load(all)
    expect(Object.keys(state).sort()).toEqual(Object.keys(fixtures.values).sort())
    for (const [name, { shape, data }] of Object.entries(fixtures.values)) {
      expect(state[name]!.shape, name).toEqual(shape)
      expect(state[name]!.dtype, name).toBe(dtypeFor(name))
      expect([...state[name]!.dataSync()], name).toEqual(data)
    }
    expect(valuesOf(g.loadSync(all))).toEqual(valuesOf(state))
  })

  test('becomes what dtype says', async () => {
    const { values } = fixtures
    for (const [name, x] of Object.entries(await g.load(all, { dtype: 'float64' }))) {
      expect(x.dtype, name).toBe('float64')
      expect([...x.dataSync()], name).toEqual(values[name]!.data)
    }
    for (const dtype of ['float32', 'int32'] as const) {
      const { f16, u8, bool, i64 } = await g.load(all, { dtype, names: ['f16', 'u8', 'bool', 'i64'] })
      for (const x of [f16, u8, bool, i64]) expect(x!.dtype).toBe(dtype)
      expect([...i64!.dataSync()]).toEqual(values.i64!.data)
      expect([...f16!.dataSync()]).toEqual(values.f16!.data.map((x) => (dtype === 'int32' ? Math.trunc(x) + 0 : x)))
    }
  })

  test('has integers of 64 bits that int32 does not hold', async () => {
    const large = bytesOf(fixtures.large)
    const message = /^load: expected numbers that int32 holds .*, got 2147483648 in large; \{ dtype \} has another$/
    const error = await errorOf(() => g.load(large))
    expect(error).toBeInstanceOf(RangeError)
    expect((error as Error).message).toMatch(message)
    expect(() => g.loadSync(large)).toThrow(RangeError)
    expect([...(await g.load(large, { names: ['ok'] })).ok!.dataSync()]).toEqual([2 ** 31 - 1, -(2 ** 31)])
    expect([...(await g.load(large, { dtype: 'float64' })).large!.dataSync()]).toEqual([1, 2 ** 31])
  })

  test('may stand anywhere in memory', async () => {
    for (const offset of [1, 3, 8]) {
      const buffer = new Uint8Array(all.length + 16)
      buffer.set(all, offset)
      expect(valuesOf(await g.load(buffer.subarray(offset, offset + all.length)))).toEqual(valuesOf(g.loadSync(all)))
    }
    expect(valuesOf(await g.load(Buffer.from(all)))).toEqual(valuesOf(g.loadSync(all)))
    const shared = new Uint8Array(new SharedArrayBuffer(all.length))
    shared.set(all)
    expect(valuesOf(await g.load(shared))).toEqual(valuesOf(g.loadSync(all)))
  })

  test('keeps other bytes than 0 and 1 out of bool', async () => {
    const file = encodeSafetensors({ x: { dtype: 'BOOL', shape: [3], data_offsets: [0, 3] } }, Uint8Array.of(0, 2, 255))
    expect(await (await g.load(file)).x!.array()).toEqual([false, true, true])
  })
})

test('what is written are the bytes of the reference implementation', async () => {
  const types: Readonly<Record<string, g.DType>> = { i32: 'int32', u8: 'uint8', bool: 'bool', f64: 'float64' }
  const values = await g.load(bytesOf(fixtures.written), { dtype: 'float64' })
  const state = Object.fromEntries(Object.entries(values).map(([name, x]) => [name, x.cast(types[name] ?? 'float32')]))
  const written = Buffer.from(await g.serialize(state, { metadata: { epoch: '3' } }))
  expect(written).toEqual(Buffer.from(fixtures.written, 'base64'))
  expect(Buffer.from(g.serializeSync(state, { metadata: { epoch: '3' } }))).toEqual(written)
  const { f16, bf16 } = await g.load(all, { names: ['f16', 'bf16'] })
  const half = await g.serialize({ f16: f16! }, { dtype: 'float16' })
  expect(Buffer.from(half)).toEqual(Buffer.from(fixtures.writtenFloat16, 'base64'))
  const upper = await g.serialize({ bf16: bf16!.cast('float64') }, { dtype: 'bfloat16' })
  expect(Buffer.from(upper)).toEqual(Buffer.from(fixtures.writtenBfloat16, 'base64'))
})

test('floats of 16 bits are those of PyTorch, every one of them, and rounding goes to the nearest', () => {
  const sha256 = (array: NodeJS.ArrayBufferView) => createHash('sha256').update(array).digest('hex')
  const doubles = randomDoubles()
  for (const [type, dtype] of [
    ['F16', 'float16'],
    ['BF16', 'bfloat16'],
  ] as const) {
    const { numbers, nans, rounded, roundedDoubles } = fixtures.halves[dtype]
    const patterns = Uint16Array.from({ length: 2 ** 16 }, (_, i) => i)
    const found = decode('load', type, new Uint8Array(patterns.buffer), 'float32') as Float32Array<ArrayBuffer>
    expect(found.filter(Number.isNaN)).toHaveLength(nans)
    expect(sha256(found.map((x) => (Number.isNaN(x) ? 0 : x)))).toBe(numbers)
    expect(sha256(encode(Float32Array.from(doubles), 'float32', type))).toBe(rounded)
    if (roundedDoubles !== null) expect(sha256(encode(doubles, 'float64', type))).toBe(roundedDoubles)
    const back = new Uint16Array(encode(found, 'float32', type).slice().buffer)
    expect(back.every((bits, i) => bits === i || Number.isNaN(found[i]))).toBe(true)
    expect(encode(Float32Array.of(NaN, Infinity, -Infinity, 3e38, -0), 'float32', type)).toEqual(
      new Uint8Array(
        Uint16Array.from(
          type === 'F16' ? [0x7e00, 0x7c00, 0xfc00, 0x7c00, 0x8000] : [0x7fc0, 0x7f80, 0xff80, 0x7f62, 0x8000],
        ).buffer,
      ),
    )
  }
})

/** Those of the fixtures' script. */
function randomDoubles(): Float64Array<ArrayBuffer> {
  let state = 1n
  return Float64Array.from({ length: 2 ** 14 }, () => {
    state = (state * 0x5deece66dn) % 2n ** 47n
    const at = (shift: bigint, modulus: bigint) => Number((state >> shift) % modulus)
    const fraction = at(14n, 2n ** 11n) / 2 ** 11 + (at(25n, 3n) - 1) / 2 ** 28
    return (at(46n, 2n) === 1 ? -1 : 1) * (1 + fraction) * 2 ** (at(8n, 64n) - 40)
  })
}

describe('a model', () => {
  test('comes back, also as half of its bytes', async () => {
    const path = join(temporaryFolder(), 'model.safetensors')
    const [a, b, c] = [model(), model(), model()]
    await g.save(path, a, { metadata: { by: 'test' } })
    expect(b.loadStateDict(await g.load(path))).toEqual({ missing: [], unexpected: [] })
    expect(valuesOf(b.stateDict())).toEqual(valuesOf(a.stateDict()))
    g.saveSync(path, a, { dtype: 'bfloat16' })
    c.loadStateDict(g.loadSync(path))
    for (const [name, x] of Object.entries(c.stateDict()))
      expect(g.allClose(x, a.stateDict()[name]!, { rtol: 2 ** -8 }).itemSync(), name).toBe(1)
    expect(readdirSync(join(path, '..'))).toEqual(['model.safetensors'])
  })

  test('is saved as it is at the call, while training goes on', async () => {
    const path = join(temporaryFolder(), 'model.safetensors')
    const layer = g.nn.linear(700, 700)
    const optimizer = g.optim.sgd({ learningRate: 1 })
    const step = g.compile(() =>
      optimizer.minimize(() =>
        layer
          .forward(g.ones([2, 700]))
          .square()
          .mean(),
      ),
    )
    const running = [step(), step()]
    const atTheCall = layer.stateDict()
    const saving = g.save(path, layer)
    await Promise.all([...running, step(), step(), saving])
    expect(valuesOf(await g.load(path))).toEqual(valuesOf(atTheCall))
    expect(valuesOf(layer.stateDict())).not.toEqual(valuesOf(atTheCall))
  })

  test('and optimizers are saved alike, and records of tensors and variables', async () => {
    const w = g.variable([1, 2])
    const optimizer = g.optim.adam()
    await optimizer.minimizeAsync(() => w.square().sum(), { w })
    const loaded = g.loadSync(g.serializeSync(optimizer), { dtype: 'stored' })
    expect(valuesOf(loaded)).toEqual(valuesOf(optimizer.stateDict()))
    const state = { w, sum: w.add(1), flags: g.tensor([true, false]), bytes: g.tensor(new Uint8Array(3)) }
    expect(valuesOf(await g.load(await g.serialize(state)))).toEqual(valuesOf(state))
    expect(await g.load(await g.serialize({}))).toEqual({})
  })
})

test('large tensors come back whole, in pieces', async () => {
  const path = join(temporaryFolder(), 'large.safetensors')
  const x = g.arange(2 ** 20 + 4).reshape([4, -1, 1])
  const n = g.arange(2 ** 18 + 1).cast('int32')
  await g.save(path, { x, n, flat: x.less(7) })
  for (const state of [await g.load(path), g.loadSync(path)]) {
    expect(state.x!.shape).toEqual(x.shape)
    expect(state.x!.equal(x).all().itemSync()).toBe(1)
    expect(state.n!.equal(n).all().itemSync()).toBe(1)
    expect(state.flat!.cast('int32').sum().itemSync()).toBe(7)
  }
})

describe('an open file', () => {
  test('says what is in it, and reads single tensors and rows', async () => {
    const path = join(temporaryFolder(), 'all.safetensors')
    writeFileSync(path, all)
    const file = await g.open(path)
    expect(file.tensors.bf16).toEqual({ dtype: 'BF16', shape: [2, 3], bytes: 12 })
    expect(file.metadata).toEqual({})
    expect((await g.open(bytesOf(fixtures.written))).metadata).toEqual({ epoch: '3' })
    const { data } = fixtures.values.bf16!
    expect([...(await file.read('bf16')).dataSync()]).toEqual(data)
    const second = await file.read('bf16', { rows: [1, 2], dtype: 'float64' })
    expect([second.dtype, second.shape, ...second.dataSync()]).toEqual(['float64', [1, 3], ...data.slice(3)])
    expect((await file.read('bf16', { rows: [2, 2] })).shape).toEqual([0, 3])
    expect((await file.read('none', { rows: [0, 0] })).shape).toEqual([0, 3])
    await file.close()
    await file.close()
    await expect(file.read('bf16')).rejects.toThrow(new TypeError('read: expected an open file, got a closed one'))
  })

  test.each([
    [['other'], RangeError, 'read: expected the name of a tensor in the file, got "other"'],
    [[3], TypeError, 'read: expected the name of a tensor, got 3'],
    [['f32', { rows: [0, 3] }], RangeError, 'read: expected an end of rows from 0 to 2, got 3'],
    [['f32', { rows: [-1, 1] }], RangeError, 'read: expected a first row from 0 to 2, got -1'],
    [['f32', { rows: [2, 1] }], RangeError, 'read: expected an end of rows from 2 to 2, got 1'],
    [['f32', { rows: [1] }], TypeError, 'read: expected rows as [start, end], got [1]'],
    [['f32', { rows: 1 }], TypeError, 'read: expected rows as [start, end], got 1'],
    [['scalar', { rows: [0, 0] }], g.ShapeError, 'read: expected a tensor with rows as scalar, got []'],
    [['f32', { dtype: 'half' }], RangeError, "read: expected dtype 'bool',"],
    [['f32', { row: 1 }], TypeError, 'read: unknown option row; did you mean rows?'],
  ])('refuses %j', async (args, kind, message) => {
    const file = await g.open(all)
    const error = await errorOf(() => Reflect.apply(file.read, file, args))
    expect(error).toBeInstanceOf(kind)
    expect((error as Error).message).toContain(message)
  })

  test('has types that no tensor is made of', async () => {
    const bytes = encodeSafetensors({ x: { dtype: 'F8_E4M3', shape: [2], data_offsets: [0, 2] } }, 2)
    const file = await g.open(bytes)
    expect(file.tensors).toEqual({ x: { dtype: 'F8_E4M3', shape: [2], bytes: 2 } })
    await expect(file.read('x')).rejects.toThrow('read: expected x to be of a type that tensors have, got F8_E4M3')
  })

  test('may become shorter', async () => {
    const path = join(temporaryFolder(), 'all.safetensors')
    writeFileSync(path, all)
    const file = await g.open(path)
    writeFileSync(path, all.subarray(0, all.length - 100))
    await expect(file.read('bool')).rejects.toThrow(/^open: expected 6 bytes more, got 0: it became shorter \(/)
    expect((await file.read('i64')).shape).toEqual([2, 3])
    await file.close()
  })
})

describe('shards', () => {
  test('of Hugging Face are read by their index, or by the path of the file they stand for', async () => {
    const folder = shardedFolder()
    for (const name of ['model.safetensors.index.json', 'model.safetensors']) {
      const state = await g.load(join(folder, name))
      expect(Object.keys(state)).toEqual([0, 1, 2, 3].map((i) => `layer.${i}.weight`))
      expect(await state['layer.3.weight']!.array()).toEqual([
        [3, 4, 5],
        [6, 7, 8],
      ])
      expect(valuesOf(g.loadSync(join(folder, name)))).toEqual(valuesOf(state))
    }
    const file = await g.open(join(folder, 'model.safetensors'))
    expect(Object.keys(file.tensors)).toHaveLength(4)
    expect(file.metadata).toEqual({ format: 'pt' })
    expect((await file.read('layer.2.weight')).shape).toEqual([2, 3])
    await file.close()
  })

  test('are not needed for what is not asked for', async () => {
    const folder = shardedFolder()
    writeFileSync(join(folder, 'model-00001-of-00002.safetensors'), '')
    const path = join(folder, 'model.safetensors')
    expect(Object.keys(await g.load(path, { names: ['layer.3.weight'] }))).toEqual(['layer.3.weight'])
    await expect(g.load(path)).rejects.toThrow(/^safetensors: expected at least 8 bytes, got 0 \(.*00001-of-00002/)
    await expect(g.load(path, { names: ['layer.3.weight', 'a', 'b'] })).rejects.toThrow(
      /^load: expected names of tensors in the file, got a, b, which it has not \(.*index\.json\)$/,
    )
  })

  test('are written as Hugging Face writes them', async () => {
    const folder = temporaryFolder()
    const path = join(folder, 'model.safetensors')
    const state = await g.load(join(shardedFolder(), 'model.safetensors'))
    await g.save(path, state, { maxShardBytes: 50, metadata: { format: 'pt' } })
    for (const [name, base64] of Object.entries(fixtures.shards))
      expect(readFileSync(join(folder, name)).toString().trimEnd(), name).toBe(
        Buffer.from(bytesOf(base64)).toString().trimEnd(),
      )
    expect(readdirSync(folder).sort()).toEqual(Object.keys(fixtures.shards).sort())
  })

  test.each(['save', 'saveSync'] as const)('take the place of what %s saved before', async (save) => {
    const folder = temporaryFolder()
    const path = join(folder, 'model.safetensors')
    const state = (x: number) => ({ a: g.full([4], x), b: g.full([4], x + 1), large: g.full([40], x) })
    writeFileSync(join(folder, 'model-1.safetensors'), 'of the user')
    await saves[save](path, state(1))
    await saves[save](path, state(2), { maxShardBytes: 32 })
    expect(readdirSync(folder).sort()).toEqual([
      'model-00001-of-00002.safetensors',
      'model-00002-of-00002.safetensors',
      'model-1.safetensors',
      'model.safetensors.index.json',
    ])
    await saves[save](path, state(3), { maxShardBytes: 32 })
    expect(readdirSync(folder)).toHaveLength(4)
    expect(valuesOf(await g.load(path))).toEqual(valuesOf(state(3)))
    await saves[save](path, state(4), { maxShardBytes: 16 })
    expect(readdirSync(folder).filter((name) => name.startsWith('model-000'))).toHaveLength(3)
    expect(valuesOf(await g.load(path))).toEqual(valuesOf(state(4)))
  })

  test.each([
    ['../model.safetensors', 'expected files in the folder of the index, got "../model.safetensors"'],
    ['/etc/passwd', 'expected files in the folder of the index'],
    ['..', 'expected files in the folder of the index'],
    ['a\\b', 'expected files in the folder of the index'],
    ['C:x', 'expected files in the folder of the index'],
    ['', 'expected files in the folder of the index, got ""'],
    [3, 'expected the file of "x"'],
  ])('are in the folder of the index, not %j', async (file, message) => {
    const path = join(temporaryFolder(), 'model.safetensors.index.json')
    writeFileSync(path, JSON.stringify({ weight_map: { x: file } }))
    for (const read of [() => g.load(path), () => g.loadSync(path), () => g.open(path)]) {
      const error = await errorOf(read)
      expect(error).toBeInstanceOf(g.DataFormatError)
      expect((error as Error).message).toContain(message)
    }
  })

  test.each([
    ['', 'expected the index, got its end'],
    ['[]', 'expected the index, got "[]"'],
    ['{}', 'expected an index with a weight_map, got none'],
    ['{"weight_map":{"x":"a","x":"b"}}', 'expected weight_map to have each name once, got two "x"'],
    ['{"weight_map":{"__proto__":"a"}}', 'expected names other than __proto__ in weight_map, got it'],
    [`{"metadata":${'['.repeat(40)}${']'.repeat(40)},"weight_map":{}}`, 'expected values at most 32 deep'],
    ['{"metadata":{"a":[1,true,null,"x",{}]},"weight_map":{"x":"model"}}', 'cannot read'],
    ['{"weight_map":{}} x', 'expected nothing after the JSON, got "x"'],
    [Buffer.from([0x7b, 0xff]), 'expected an index in UTF-8'],
  ])('have an index that is right, not %j', async (text, message) => {
    const path = join(temporaryFolder(), 'model.safetensors.index.json')
    writeFileSync(path, text)
    expect(((await errorOf(() => g.load(path))) as Error).message).toContain(message)
    expect(((await errorOf(() => g.loadSync(path))) as Error).message).toContain(message)
  })

  test('have the tensors that the index has there', async () => {
    const folder = shardedFolder()
    const map = {
      'layer.0.weight': 'model-00002-of-00002.safetensors',
      'layer.3.weight': 'model-00002-of-00002.safetensors',
    }
    writeFileSync(join(folder, 'model.safetensors.index.json'), JSON.stringify({ weight_map: map }))
    await expect(g.load(join(folder, 'model.safetensors'))).rejects.toThrow(
      /^safetensors: expected all tensors that the index has there, got no layer\.0\.weight \(.*00002-of-00002/,
    )
  })
})

const entry = (change: object = {}) => ({ dtype: 'F32', shape: [2], data_offsets: [0, 8], ...change })

describe('a hostile file is refused', () => {
  const length = (n: bigint) => {
    const bytes = Buffer.alloc(16)
    bytes.writeBigUInt64LE(n)
    return new Uint8Array(bytes)
  }
  const nine = Array.from({ length: 9 }, () => 1)
  const text = '"dtype":"F32","shape":[2]'
  test.each<[string, Uint8Array, string]>([
    ['without a length', new Uint8Array(7), 'expected at least 8 bytes, got 7'],
    ['of nothing', new Uint8Array(0), 'expected at least 8 bytes, got 0'],
    [
      'with a header beyond the cap',
      length(100_000_001n),
      'expected a header of at most 100000000 bytes, got 100000001',
    ],
    [
      'of the greatest length',
      length(2n ** 64n - 1n),
      'expected a header of at most 100000000 bytes, got 18446744073709552000',
    ],
    ['with a header beyond its end', length(9n), 'expected a header of 9 bytes, got 8 bytes'],
    ['without a header', encodeSafetensors(''), 'expected the header, got its end'],
    ['that is no object', encodeSafetensors('[1]'), 'expected the header, got "[1]"'],
    [
      'that is no UTF-8',
      encodeSafetensors(Uint8Array.of(0x7b, 0x22, 0xff, 0x22)),
      'expected a header in UTF-8, got other bytes',
    ],
    ['with a byte order mark', encodeSafetensors('\ufeff{}'), 'expected the header'],
    ['that is cut', encodeSafetensors('{"x"'), 'expected a : after "x", got its end'],
    [
      'with a text without an end',
      encodeSafetensors('{"x\\"'),
      'expected a name in the header, got a text without an end',
    ],
    [
      'with a text that is none',
      encodeSafetensors('{"x\\q":1}'),
      'expected a name in the header, got a text that is no JSON',
    ],
    [
      'with half a character',
      encodeSafetensors('{"\\ud800":1}'),
      'expected a name in the header, got a text that is no JSON',
    ],
    ['with more behind', encodeSafetensors('{}{}'), 'expected nothing after the JSON, got "{}"'],
    [
      'with a name twice',
      encodeSafetensors(`{"x":${JSON.stringify(entry())},"x":${JSON.stringify(entry())}}`, 8),
      'expected the header to have each name once, got two "x"',
    ],
    [
      'with a name twice, once by an escape',
      encodeSafetensors(`{"x":${JSON.stringify(entry())},"\\u0078":${JSON.stringify(entry())}}`, 8),
      'got two "x"',
    ],
    [
      'with __proto__',
      encodeSafetensors(`{"__proto__":${JSON.stringify(entry())}}`, 8),
      'expected names other than __proto__ in the header, got it',
    ],
    ['with metadata twice', encodeSafetensors('{"__metadata__":{},"__metadata__":{}}'), 'got two "__metadata__"'],
    [
      'with a text of metadata twice',
      encodeSafetensors('{"__metadata__":{"a":"","a":""}}'),
      'expected __metadata__ to have each name once, got two "a"',
    ],
    [
      'with metadata that is no text',
      encodeSafetensors({ __metadata__: { a: 1 } }),
      'expected a text as a of __metadata__, got "1}}"',
    ],
    [
      'with a member of an entry twice',
      encodeSafetensors(`{"x":{${text},${text},"data_offsets":[0,8]}}`, 8),
      'expected the entry of "x" to have each name once, got two "dtype"',
    ],
    [
      'with another member',
      encodeSafetensors({ x: entry({ y: 1 }) }, 8),
      'expected dtype, shape and data_offsets of "x", got "y"',
    ],
    [
      'without offsets',
      encodeSafetensors(`{"x":{${text}}}`),
      'expected dtype, shape and data_offsets of "x", got fewer',
    ],
    [
      'of an unknown dtype',
      encodeSafetensors({ x: entry({ dtype: 'F128' }) }, 8),
      'expected a dtype of "x" (BOOL, U8,',
    ],
    ['of a dtype of objects', encodeSafetensors({ x: entry({ dtype: 'toString' }) }, 8), 'got "toString"'],
    ['of a dtype that is no text', encodeSafetensors({ x: entry({ dtype: 1 }) }, 8), 'expected a dtype of "x", got'],
    [
      'with NaN in a shape',
      encodeSafetensors('{"x":{"shape":[NaN]}}', 8),
      'expected integers from 0 on as extents of "x", got "NaN]}}"',
    ],
    [
      'with a negative extent',
      encodeSafetensors({ x: entry({ shape: [-2] }) }, 8),
      'expected integers from 0 on as extents of "x", got -2',
    ],
    [
      'with half an extent',
      encodeSafetensors({ x: entry({ shape: [0.5] }) }, 8),
      'expected integers from 0 on as extents of "x", got 0.5',
    ],
    ['with an infinite extent', encodeSafetensors('{"x":{"shape":[1e999]}}', 8), 'as extents of "x", got Infinity'],
    [
      'with an inexact extent',
      encodeSafetensors('{"x":{"shape":[9007199254740993]}}', 8),
      'as extents of "x", got 9007199254740992',
    ],
    ['with a number of no JSON', encodeSafetensors('{"x":{"shape":[01]}}', 8), 'as extents of "x", got "01]}}"'],
    [
      'with a number without an end',
      encodeSafetensors(`{"x":{"shape":[${'1'.repeat(1000)}]}}`, 8),
      'as extents of "x", got',
    ],
    [
      'with a shape that is no list',
      encodeSafetensors({ x: entry({ shape: 2 }) }, 8),
      'expected extents of "x", got "2,',
    ],
    [
      'with too many axes',
      encodeSafetensors({ x: entry({ shape: nine, data_offsets: [0, 4] }) }, 4),
      'expected at most 8 extents of "x", got more',
    ],
    [
      'with an extent beyond all',
      encodeSafetensors({ x: entry({ shape: [2 ** 40, 2 ** 40] }) }, 8),
      'bytes of "x", which is F32[1099511627776, 1099511627776], got 8',
    ],
    [
      'with fewer bytes than its shape',
      encodeSafetensors({ x: entry({ shape: [3] }) }, 8),
      'expected 12 bytes of "x", which is F32[3], got 8',
    ],
    [
      'with one offset',
      encodeSafetensors({ x: entry({ data_offsets: [0] }) }, 8),
      'expected a start and an end as data_offsets of "x", got [0]',
    ],
    [
      'with three offsets',
      encodeSafetensors({ x: entry({ data_offsets: [0, 8, 8] }) }, 8),
      'expected at most 2 data_offsets of "x", got more',
    ],
    [
      'with a negative offset',
      encodeSafetensors({ x: entry({ data_offsets: [-8, 0] }) }, 8),
      'expected integers from 0 on as data_offsets of "x", got -8',
    ],
    [
      'that ends before it begins',
      encodeSafetensors({ x: entry({ data_offsets: [8, 0] }) }, 8),
      'expected a start and an end as data_offsets of "x", got [8, 0]',
    ],
    ['with bytes beyond its end', encodeSafetensors({ x: entry() }, 7), 'expected '],
    ['with bytes behind the last tensor', encodeSafetensors({ x: entry() }, 9), 'expected '],
    [
      'with a hole before the first',
      encodeSafetensors({ x: entry({ data_offsets: [8, 16] }) }, 16),
      'expected the bytes of "x" to begin at 0, where those before end, got 8',
    ],
    [
      'with a hole',
      encodeSafetensors({ x: entry(), y: entry({ data_offsets: [16, 24] }) }, 24),
      'expected the bytes of "y" to begin at 8, where those before end, got 16',
    ],
    [
      'with tensors that overlap',
      encodeSafetensors({ x: entry(), y: entry({ data_offsets: [4, 12] }) }, 12),
      'expected the bytes of "y" to begin at 8, where those before end, got 4',
    ],
    [
      'with one tensor as two',
      encodeSafetensors({ x: entry(), y: entry() }, 8),
      'expected the bytes of "y" to begin at 8, where those before end, got 0',
    ],
    ['with data and no tensor', encodeSafetensors({}, 8), 'expected '],
  ])('%s', async (_, bytes, message) => {
    for (const read of [() => g.load(bytes), () => g.loadSync(bytes), () => g.open(bytes)]) {
      const error = await errorOf(read)
      expect(error).toBeInstanceOf(g.DataFormatError)
      expect((error as Error).message).toMatch(/^safetensors: expected .*, got .* \(bytes\)$/s)
      expect((error as Error).message).toContain(message)
    }
  })

  test('and the checks let right ones pass', async () => {
    const file = encodeSafetensors(
      { a: entry({ data_offsets: [8, 16] }), b: entry(), c: entry({ shape: [0, 9], data_offsets: [8, 8] }) },
      16,
    )
    expect(Object.keys(await g.load(file))).toEqual(['b', 'c', 'a'])
    expect(await g.load(encodeSafetensors(' { } \n '))).toEqual({})
    const { tensors } = await g.open(encodeSafetensors({ constructor: entry() }, 8))
    expect(Object.keys(tensors)).toEqual(['constructor'])
  })

  test('a tensor too large to be one is there, and not read', async () => {
    const file = await g.open(encodeSafetensors({ x: { dtype: 'U8', shape: [0, 2 ** 40], data_offsets: [0, 0] } }))
    await expect(file.read('x')).rejects.toThrow(g.ShapeError)
  })
})

describe('bad arguments', () => {
  const path = join('no', 'folder', 'x')
  test.each<[string, () => unknown, string]>([
    ['no path', () => g.save('', {}), 'save: expected a path, got ""'],
    ['a number as path', () => g.save(3 as never, {}), 'save: expected a path, got 3'],
    ['a path with 0 in it', () => g.saveSync('a\0b', {}), 'saveSync: expected a path'],
    ['no folder', () => g.save(path, {}), `save: cannot write ${path}: ENOENT`],
    [
      'no folder for shards',
      () => g.saveSync(path, { a: g.ones([2]), b: g.ones([2]) }, { maxShardBytes: 1 }),
      'saveSync: cannot write',
    ],
    ['nothing', () => g.save(path, null as never), 'save: expected a model, or tensors by name, got null'],
    [
      'a tensor',
      () => g.save(path, g.ones([1]) as never),
      'save: expected a model, or tensors by name, got Tensor float32[1]',
    ],
    ['numbers', () => g.serialize({ x: 1 } as never), 'serialize: expected a tensor as x, got 1'],
    [
      'a model of numbers',
      () => g.serialize({ stateDict: () => 3 } as never),
      'serialize: expected a model, or tensors by name, got 3',
    ],
    [
      'metadata of numbers',
      () => g.serialize({}, { metadata: { a: 1 } as never }),
      'serialize: expected a text as a of metadata, got 1',
    ],
    [
      'metadata in a list',
      () => g.serializeSync({}, { metadata: [] as never }),
      'serializeSync: expected metadata, texts by name, got an array',
    ],
    [
      'half a character',
      () => g.serialize({}, { metadata: { a: '\ud800' } }),
      'serialize: expected metadata in Unicode, got "a"',
    ],
    [
      'the name of metadata',
      () => g.serialize({ __metadata__: g.ones([1]) }),
      'serialize: expected names other than __metadata__ and __proto__',
    ],
    ['half a name', () => g.serialize({ '\udc00': g.ones([1]) }), 'serialize: expected names other than'],
    ['__proto__', () => g.serialize({ ['__proto__']: g.ones([1]) }), 'serialize: expected names other than'],
    [
      'another dtype',
      () => g.save(path, {}, { dtype: 'int8' as never }),
      "save: expected dtype 'float16', 'bfloat16', 'float32' or 'float64', got int8",
    ],
    [
      'shards of nothing',
      () => g.save(path, {}, { maxShardBytes: 0 }),
      'save: expected a maxShardBytes of at least 1, got 0',
    ],
    ['a file that is not there', () => g.load(path), `load: cannot read ${path}: ENOENT`],
    ['a folder', () => g.load('.'), 'load: expected . to be a file, got a folder'],
    ['a device', () => g.loadSync('/dev/zero'), 'loadSync: expected /dev/zero to be a file, got something else'],
    [
      'a buffer',
      () => g.open(new ArrayBuffer(8) as never),
      'open: expected a path or a Uint8Array, got an ArrayBuffer',
    ],
    ['names that are none', () => g.load(all, { names: [1] as never }), 'load: expected texts as names, got 1'],
    ['a name as names', () => g.load(all, { names: 'f32' as never }), 'load: expected a list of names, got "f32"'],
    [
      'names that are not there',
      () => g.loadSync(all, { names: ['x', 'f32', 'y'] }),
      'loadSync: expected names of tensors in the file, got x, y, which it has not (bytes)',
    ],
  ])('%s', async (_, call, message) => {
    expect(((await errorOf(call)) as Error).message).toContain(message)
  })

  test('errors of the file system keep their code', async () => {
    expect(await errorOf(() => g.load(path))).toMatchObject({ code: 'ENOENT' })
    expect(await errorOf(() => g.saveSync(path, {}))).toMatchObject({ code: 'ENOENT' })
  })

  test('a value that cannot be computed leaves the old file', async () => {
    const path = join(temporaryFolder(), 'x')
    await g.save(path, { x: g.ones([1]) })
    const bad = { x: g.zeros([2]).gather([9]) }
    await expect(g.save(path, bad)).rejects.toThrow('9')
    expect(() => g.saveSync(path, bad)).toThrow('9')
    expect(valuesOf(await g.load(path))).toEqual({ x: ['float32', [1], [1]] })
    expect(existsSync(path)).toBe(true)
    mkdirSync(join(path, '..', 'folder'))
    await expect(g.save(join(path, '..', 'folder'), { x: g.ones([1]) })).rejects.toMatchObject({ code: 'EISDIR' })
    expect(readdirSync(join(path, '..')).sort()).toEqual(['folder', 'x'])
  })
})
