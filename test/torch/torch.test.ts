/** Files of PyTorch: what it wrote is read as it is there, what is written here has the form that it reads, and all else is refused by name. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import * as torch from '../../lib/torch/index.ts'
import { errorOf, temporaryFolder } from '../files/files.ts'
import { archiveOf } from './archive.ts'

interface Numbers {
  tensor: number[]
  shape: number[]
}

const fixtures = JSON.parse(readFileSync(new URL('../fixtures/torch.json', import.meta.url), 'utf8')) as {
  values: { name: string; file: string; value: unknown }[]
  protocols: string[]
  refused: Record<string, string>
  layers: { name: string; file: string; input: Numbers; output: Numbers }[]
}
const bytesOf = (base64: string) => new Uint8Array(Buffer.from(base64, 'base64'))
const fileOf = (name: string) => bytesOf(fixtures.values.find((each) => each.name === name)!.file)

/** A value as the script has it in JSON. */
function plain(value: torch.TorchValue): unknown {
  if (value instanceof g.Tensor)
    return {
      tensor: Array.from(value.dataSync(), (x) =>
        Number.isFinite(x) ? x : String(x).replace('Infinity', 'inf').toLowerCase(),
      ),
      shape: [...value.shape],
    }
  if (value instanceof Uint8Array) return { bytes: [...value] }
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, plain(part)]))
}

const message = async (fn: () => unknown): Promise<string> => {
  const error = await errorOf(fn)
  expect(error).toBeInstanceOf(g.DataFormatError)
  return (error as Error).message
}

describe('what PyTorch wrote', () => {
  test.each(fixtures.values.map(({ name, ...each }) => [name, each] as const))('%s', async (_, { file, value }) => {
    const doubles = await torch.load<torch.TorchValue>(bytesOf(file), { dtype: 'float64' })
    expect(plain(doubles)).toEqual(value)
    const path = join(temporaryFolder(), 'value.pt')
    writeFileSync(path, bytesOf(file))
    expect(plain(torch.loadSync<torch.TorchValue>(path, { dtype: 'float64' }))).toEqual(value)
  })

  test('becomes dtypes as of other files, unless another is asked for', async () => {
    const dtypes = {
      float16: 'float32',
      bfloat16: 'float32',
      float64: 'float32',
      int64: 'int32',
      int8: 'int32',
      uint16: 'int32',
      uint8: 'uint8',
      bool: 'bool',
    }
    for (const [name, dtype] of Object.entries(dtypes))
      expect((await torch.load<g.Tensor>(fileOf(name))).dtype, name).toBe(dtype)
    expect((await torch.load<g.Tensor>(fileOf('float64'), { dtype: 'stored' })).dtype).toBe('float64')
    expect((await torch.load<g.Tensor>(fileOf('float32'), { dtype: 'int32' })).dtype).toBe('int32')
  })

  test('is the same by each protocol of pickles', async () => {
    const [first, ...others] = await Promise.all(
      fixtures.protocols.map(async (file) => plain(await torch.load<torch.TorchValue>(bytesOf(file)))),
    )
    expect(Object.keys(first as object)).toContain('1.num_batches_tracked')
    for (const other of others) expect(other).toEqual(first)
  })

  test('has one tensor where it has the same elements', async () => {
    const { a, again, b } = await torch.load(fileOf('shared'))
    expect(again).toBe(a)
    expect(b).not.toBe(a)
  })

  test('is read in part', async () => {
    const file = fileOf('checkpoint')
    const part = await torch.load<Record<string, g.StateDict>>(file, {
      names: ['model.0', 'optimizer.state.2.exp_avg'],
    })
    expect(Object.keys(part.model!)).toEqual(['0.weight', '0.bias'])
    expect(part.optimizer).toMatchObject({ state: { 0: {}, 2: { exp_avg: expect.anything() } } })
    expect(part.epoch).toBe(3)
    await expect(torch.load(file, { names: ['model', 'modul'] })).rejects.toThrow(
      /torch\.load: expected names of tensors in the file, got modul, which it has not/,
    )
  })

  test('fits a model with the same layers', async () => {
    const model = g.nn.sequential(g.nn.linear(3, 4), g.nn.batchNorm1d(4), g.nn.relu(), g.nn.linear(4, 2))
    expect(model.loadStateDict(await torch.load(fileOf('state_dict')))).toEqual({ missing: [], unexpected: [] })
  })
})

test.each(fixtures.layers)('$name has the names and the layout of PyTorch', async ({ name, file, input, output }) => {
  const layers: Record<string, () => g.nn.Module> = {
    weight_norm: () => g.nn.weightNorm(g.nn.linear(4, 3)),
    spectral_norm: () => g.nn.spectralNorm(g.nn.linear(4, 3)),
    'parametrizations.weight_norm': () => g.nn.weightNorm(g.nn.linear(4, 3)),
    'parametrizations.spectral_norm': () => g.nn.spectralNorm(g.nn.linear(4, 3)),
    'LayerNorm without bias': () => g.nn.layerNorm(4, { bias: false }),
    BatchNorm3d: () => g.nn.batchNorm3d(4),
  }
  const layer = layers[name]!()
  layer.loadStateDict(await torch.load(bytesOf(file)))
  const computed = layer.eval().forward(g.tensor(input.tensor, { shape: input.shape }))
  expect(computed.shape).toEqual(output.shape)
  expect(g.allClose(computed, g.tensor(output.tensor, { shape: output.shape }), { atol: 1e-6 }).itemSync()).toBe(1)
})

describe('refused is', () => {
  const refusals: Record<string, RegExp> = {
    'whole model': /got torch\.nn\.modules\.container\.Sequential: in Python, torch\.save\(model\.state_dict\(\), f\)/,
    'os.system': /expected names of tensors and plain data alone, as nothing in a file is executed, got posix\.system/,
    set: /got __builtin__\.set/,
    complex: /got torch\.ComplexFloatStorage/,
    sparse: /got torch\._utils\._rebuild_sparse_tensor/,
    legacy: /got the legacy form: in Python, torch\.save\(torch\.load\(f\), f\) makes it one/,
    TorchScript: /got a TorchScript archive, .+ torch\.save\(torch\.jit\.load\(f\)\.state_dict\(\), f\)/,
    'tuple as key': /expected texts and integers as keys of dictionaries, got a tuple/,
  }
  test.each(Object.entries(refusals))('%s', async (name, pattern) => {
    const file = bytesOf(fixtures.refused[name]!)
    expect(await message(() => torch.load(file))).toMatch(pattern)
    expect(await message(() => torch.loadSync(file))).toMatch(pattern)
    expect(existsSync('executed')).toBe(false)
  })

  test('what a dtype does not hold, by the path of its tensor', async () => {
    const file = bytesOf(fixtures.refused.int64!)
    const error = await errorOf(() => torch.load(file))
    expect(error).toBeInstanceOf(RangeError)
    expect((error as Error).message).toMatch(/torch\.load: .*int32.* in model\.count; \{ dtype \} has another/)
    const { model } = await torch.load<{ model: g.StateDict }>(file, { dtype: 'float64' })
    expect([...model.count!.dataSync()]).toEqual([1, 2 ** 31])
  })

  test('a type that no tensor has', async () => {
    await expect(torch.load(bytesOf(fixtures.refused.float8!))).rejects.toThrow(
      new g.DTypeError('torch.load: expected the tensor to be of a type that tensors have, got F8_E4M3'),
    )
  })

  test('what is no file of PyTorch', async () => {
    expect(await message(() => torch.load(new Uint8Array(0)))).toMatch(/^torch: expected a zip file/)
    expect(await message(() => torch.load(Buffer.from('hello')))).toMatch(/^torch: expected a zip file/)
    const ustar = new Uint8Array(512)
    ustar.set(Buffer.from('ustar'), 257)
    expect(await message(() => torch.load(ustar))).toMatch(/legacy form/)
    await expect(torch.load('/nowhere/model.pt')).rejects.toMatchObject({ code: 'ENOENT' })
    await expect(torch.load(7 as never)).rejects.toThrow(/^torch\.load: expected a path or a Uint8Array, got 7/)
  })
})

describe('a hostile pickle', () => {
  const head = Uint8Array.of(0x80, 2)
  const refusal = async (...parts: (number | string | Uint8Array)[]) => {
    const bytes = Buffer.concat(
      [head, ...parts].map((part) =>
        typeof part === 'number' ? Buffer.of(part) : typeof part === 'string' ? Buffer.from(part, 'latin1') : part,
      ),
    )
    return message(() => torch.load(archiveOf(bytes)))
  }
  const uint32 = (x: number) => Buffer.from(Uint32Array.of(x).buffer)

  test.each<[string, readonly (number | string | Uint8Array)[], RegExp]>([
    ['without an end', ['N'], /expected 1 bytes more, got 0 \(bytes, data\.pkl, byte 3\)/],
    ['of two values', ['NN.'], /expected one value at the end, got 2 and 0 marks/],
    ['of none', ['.'], /expected one value at the end, got 0/],
    ['that takes what is not there', ['0.'], /expected a value on the stack, got none/],
    ['that takes what lies before a mark', ['N(0.'], /expected a value on the stack, got none/],
    ['without a mark', ['Nt.'], /expected a mark on the stack, got none/],
    ['that fetches nothing', ['h', 5, '.'], /expected a value in the memo, got place 5, which has none/],
    ['with a long text', ['X', uint32(2 ** 32 - 1), 'abc.'], /expected 4294967295 bytes more, got 4/],
    ['with a long integer', [0x8b, uint32(2 ** 31), '.'], /expected integers of at most 255 bytes/],
    ['with a text that is none', ['X', uint32(2), '\xff\xfe.'], /expected a text in UTF-8/],
    ['that appends to no list', ['NNa.'], /expected a list to append to, got None/],
    ['that puts into no dictionary', ['NNNs.'], /expected a dictionary to put items into/],
    ['with half of a pair', ['}(Nu.'], /expected pairs of a key and a value/],
    ['with a prototype', ['}X', uint32(9), '__proto__}s.'], /expected keys other than __proto__/],
    ['with a key twice', ['}(K', 1, 'NX', uint32(1), '1Nu.'], /expected each key of a dictionary once, got two "1"/],
    ['that calls no function', ['N)R.'], /expected something to call, got None/],
    ['that calls a function as none does', ['ccollections\nOrderedDict\nNR.'], /expected a tuple of arguments/],
    [
      'with other arguments',
      ['ccollections\nOrderedDict\n(NtR.'],
      /expected the arguments of collections\.OrderedDict, got \(None\)/,
    ],
    ['that sets attributes', [']}b.'], /expected attributes of a dictionary, got those of a list/],
    ['with a name of a builtin', ['cbuiltins\neval\n(X', uint32(1), '1tR.'], /got builtins\.eval/],
    ['with a name by the stack', ['\x8c\x02os\x8c\x06system\x93.'], /got os\.system/],
    ['with a name of an object here', ['cconstructor\nconstructor\n.'], /got constructor\.constructor/],
    ['with an object', ['ccollections\nOrderedDict\n)\x81.'], /got an object of a class \(NEWOBJ\)/],
    ['with a set', ['\x8f.'], /got a set/],
    ['with an extension', ['\x82\x01.'], /got the instruction 0x82/],
    ['of a protocol to come', [0x80, 6, 'N.'], /expected a pickle of at most protocol 5, got 6/],
    [
      'with a function as a value',
      ['ccollections\nOrderedDict\n.'],
      /expected plain data or a tensor, got collections\.OrderedDict at the top/,
    ],
    ['in itself', [']q\x00h\x00a.'], /expected at most 100 lists and dictionaries in each other, got more at 0\.0\./],
    ['that is deep', [']'.repeat(1e5), 'a'.repeat(1e5 - 1), '.'], /expected at most 100 lists/],
  ])('%s', async (_, parts, pattern) => {
    expect(await refusal(...parts)).toMatch(pattern)
  })

  test('that doubles a list again and again', async () => {
    const doublings = Array.from(
      { length: 60 },
      (_, i) => `]q${String.fromCharCode(i + 1)}(h${String.fromCharCode(i)}h${String.fromCharCode(i)}e`,
    )
    expect(await refusal('(]q\x00', ...doublings, '1h\x3c.')).toMatch(/expected at most 2097152 values, got more/)
  })

  test('with a memo of places far apart', async () => {
    const puts = Array.from({ length: 1e4 }, (_, i) => Buffer.concat([Buffer.from('r'), uint32(2 ** 32 - 1 - i * 1e5)]))
    expect(await refusal('N', ...puts, 'N.')).toMatch(/one value at the end/)
  })

  test('of many instructions', async () => {
    expect(await refusal('('.repeat(2 ** 21))).toMatch(/expected a pickle of at most 2097152 instructions, got more/)
    expect(await refusal('}'.repeat(2 ** 21), '.')).toMatch(
      /expected a pickle of at most 2097152 instructions, got more/,
    )
  })

  test('that is compressed a thousandfold', async () => {
    const bytes = archiveOf(Buffer.from('\x80\x02N.', 'latin1'))
    const at = bytes.lastIndexOf('archive/data.pkl') - 46
    bytes.writeUInt16LE(8, at + 10)
    bytes.writeUInt32LE(2 ** 31, at + 24)
    expect(await message(() => torch.load(bytes))).toMatch(
      /archive\/data\.pkl stored without compression, got method 8/,
    )
  })

  const text = (value: string) =>
    Buffer.concat([Buffer.from('X'), uint32(Buffer.byteLength(value)), Buffer.from(value)])
  const integer = (value: number) => {
    const bytes = Buffer.alloc(10, 0x8a)
    bytes[1] = 8
    bytes.writeBigInt64LE(BigInt(value), 2)
    return bytes
  }
  /** A tensor of the storage 0, which has so many floats. */
  const tensor = (length: number, offset: number, shape: number[], strides: number[]) =>
    Buffer.concat([
      Buffer.from('ctorch._utils\n_rebuild_tensor_v2\n(('),
      text('storage'),
      Buffer.from('ctorch\nFloatStorage\n'),
      text('0'),
      text('cpu'),
      integer(length),
      Buffer.from('tQ'),
      integer(offset),
      ...[shape, strides].map((list) => Buffer.concat([Buffer.from('('), ...list.map(integer), Buffer.from('t')])),
      Buffer.from('\x89ccollections\nOrderedDict\n)RtR', 'latin1'),
    ])
  const tensorOf = (storage: Uint8Array, ...args: Parameters<typeof tensor>) =>
    torch.load<g.Tensor>(archiveOf(Buffer.concat([head, tensor(...args), Buffer.from('.')]), { 'data/0': storage }))

  test('a tensor that is none', async () => {
    const six = new Uint8Array(Float32Array.of(0, 1, 2, 3, 4, 5).buffer)
    const x = await tensorOf(six, 6, 1, [2, 2], [3, 1])
    expect([...x.dataSync()]).toEqual([1, 2, 4, 5])
    const refusals: [Parameters<typeof tensor>, RegExp][] = [
      [[6, 3, [2, 2], [3, 1]], /the tensor inside its storage of 24 bytes, got an end at 32/],
      [[7, 0, [7], [1]], /in a storage of 28 bytes, as data\.pkl has it, got one of 24/],
      [[6, 5, [2, 2], [-3, 1]], /expected the arguments of torch\._utils\._rebuild_tensor_v2/],
      [[6, -1, [2], [1]], /expected the arguments of/],
      [[6, 0, [2, 2], [1]], /expected the arguments of/],
      [[-6, 0, [2], [1]], /expected a reference to a storage, got a tuple/],
      [[6, 0, [2 ** 40, 0], [1, 1]], /at most 8 axes and 2147483647 elements/],
      [[6, 0, [2 ** 20, 2 ** 20], [0, 0]], /at most 8 axes and 2147483647 elements/],
      [[6, 0, Array(9).fill(1), Array(9).fill(1)], /at most 8 axes/],
      [[6, 0, [2 ** 30], [0]], /and what is before it to be at most \d+ bytes of tensors/],
      [[6, 0, [2], [2 ** 52]], /bytes of tensors|inside its storage/],
    ]
    for (const [args, pattern] of refusals)
      expect(await message(() => tensorOf(six, ...args)), `${args}`).toMatch(pattern)
  })

  test('a storage that is not there, or compressed', async () => {
    const pickle = Buffer.concat([head, tensor(1, 0, [1], [1]), Buffer.from('.')])
    expect(await message(() => torch.load(archiveOf(pickle)))).toMatch(
      /expected archive\/data\/0 in the archive, got none/,
    )
    const bytes = archiveOf(pickle, { 'data/0': new Uint8Array(4) })
    const at = Buffer.from(bytes).lastIndexOf('archive/data/0')
    bytes[at - 36] = 8
    expect(await message(() => torch.load(bytes))).toMatch(
      /expected archive\/data\/0 stored without compression, got method 8/,
    )
  })

  test('an archive without a pickle, of another version, or with two', async () => {
    const ones = { 'data.pkl': Buffer.from('\x80\x02N.', 'latin1') }
    const load = (files: Record<string, Uint8Array>) => torch.load(archiveOf(null, files))
    expect(await message(() => load({ version: Buffer.from('3') }))).toMatch(
      /expected one data\.pkl in a folder, got 0/,
    )
    expect(await message(() => load(ones))).toMatch(/expected archive\/version in the archive, got none/)
    expect(await message(() => load({ ...ones, version: Buffer.from('11\n') }))).toMatch(
      /expected a version up to 10, got "11"/,
    )
    const order = { ...ones, version: Buffer.from('3\n'), byteorder: Buffer.from('middle') }
    expect(await message(() => load(order))).toMatch(/expected a byteorder of little or big, got "middle"/)
    expect(await load({ ...order, byteorder: Buffer.from('big') })).toBe(null)
  })

  test('elements whose high bytes come first are read as they are', async () => {
    const swapped = Buffer.from(new Float32Array([1.5, -2]).buffer).swap32()
    const pickle = Buffer.concat([head, tensor(2, 0, [2], [1]), Buffer.from('.')])
    const x = await torch.load<g.Tensor>(archiveOf(pickle, { byteorder: Buffer.from('big'), 'data/0': swapped }))
    expect([...x.dataSync()]).toEqual([1.5, -2])
  })
})

describe('save', () => {
  test('writes what load reads, each tensor once', async () => {
    const path = join(temporaryFolder(), 'checkpoint.pt')
    const model = g.nn.sequential(g.nn.conv2d(1, 2, 3), g.nn.batchNorm2d(2))
    const weight = g.variable([1, 2, 3])
    const value = {
      epoch: 3,
      rates: [0.1, 1e-8, -0, Infinity],
      large: [2 ** 31, -(2 ** 31), 2 ** 52, -129, 128, 2n ** 70n],
      texts: ['', 'ü€😀'],
      none: null,
      truths: [true, false],
      model: model.stateDict(),
      weight,
      tied: weight,
      int32: g.tensor([1, -2], { dtype: 'int32' }),
      uint8: g.tensor([1, 255], { dtype: 'uint8' }),
      bool: g.tensor([true, false]),
      float64: g.tensor([0.1], { dtype: 'float64' }),
      scalar: g.tensor(2),
      empty: g.zeros([0, 2]),
      1: { nothing: {}, list: [] },
    }
    await torch.save(value, path)
    const read = await torch.load<typeof value>(path, { dtype: 'stored' })
    expect(plain(read)).toEqual(plain(value))
    expect(read.tied).toBe(read.weight)
    expect(read.float64.dtype).toBe('float64')
    expect(readdirSync(join(path, '..'))).toEqual(['checkpoint.pt'])
    const bytes = readFileSync(path)
    for (const name of ['archive/data.pkl', 'archive/data/0', 'archive/version']) {
      const at = bytes.indexOf(name)
      expect((at + name.length + bytes.readUInt16LE(at - 2)) % 64, name).toBe(0)
    }
  })

  test('takes a model, and stores floats as another type', async () => {
    const path = join(temporaryFolder(), 'model.pt')
    const model = g.nn.linear(2, 3)
    await torch.save(model, path, { dtype: 'bfloat16' })
    const other = g.nn.linear(2, 3)
    other.loadStateDict(await torch.load(path))
    expect(g.allClose(other.weight, model.weight, { rtol: 2 ** -8 }).itemSync()).toBe(1)
    expect(readFileSync(path).includes('BFloat16Storage')).toBe(true)
  })

  test('refuses what is no plain data, by the keys that lead to it', async () => {
    const path = join(temporaryFolder(), 'x.pt')
    await expect(torch.save({ a: [1, { b: new Map() }] } as never, path)).rejects.toThrow(
      'torch.save: expected tensors and plain data at a.1.b, got a Map',
    )
    await expect(torch.save({ a: undefined } as never, path)).rejects.toThrow(/at a, got undefined/)
    await expect(torch.save({ a: '\ud800' }, path)).rejects.toThrow(/at a, got /)
    const circle: torch.TorchValue[] = []
    circle.push(circle)
    await expect(torch.save(circle, path)).rejects.toThrow(/more than 100 lists and objects in each other/)
    await expect(torch.save([2n ** 3000n], path)).rejects.toThrow(/integers of at most 255 bytes/)
    await expect(torch.save('model.pt', {} as never)).rejects.toThrow(/torch\.save: expected a path, got an object/)
    expect(readdirSync(join(path, '..'))).toEqual([])
  })
})
