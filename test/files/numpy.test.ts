/** NPY and NPZ files against numpy: what it wrote is read, what is written here are its bytes. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { errorOf, temporaryFolder } from './files.ts'

const fixtures = JSON.parse(readFileSync(new URL('../fixtures/numpy.json', import.meta.url), 'utf8')) as {
  arrays: { file: string; shape: number[]; data: number[] }[]
  written: Record<string, string>
  versions: string[]
} & Record<
  'writtenScalar' | 'writtenVector' | 'objects' | 'records' | 'texts' | 'complex' | 'npz' | 'compressed',
  string
>

const bytesOf = (base64: string) => new Uint8Array(Buffer.from(base64, 'base64'))
const headerOf = (bytes: Uint8Array) => Buffer.from(bytes.subarray(10, 70)).toString('latin1').trim()

describe('arrays of numpy', () => {
  test.each(fixtures.arrays.map((each) => [headerOf(bytesOf(each.file)), each] as const))('%s', async (_, each) => {
    const x = await g.loadNpy(bytesOf(each.file))
    expect(x.shape).toEqual(each.shape)
    expect([...x.dataSync()]).toEqual(each.data)
    const double = await g.loadNpy(bytesOf(each.file), { dtype: 'float64' })
    expect([double.dtype, ...double.dataSync()]).toEqual(['float64', ...each.data])
  })

  test.each(fixtures.versions)('version %#', async (file) => {
    expect([...(await g.loadNpy(bytesOf(file))).dataSync()]).toEqual([0, 1, 2, 3])
  })

  test('become what dtype says', async () => {
    const dtypes = await Promise.all(
      fixtures.arrays.slice(0, 24).map(async ({ file }) => (await g.loadNpy(bytesOf(file))).dtype),
    )
    const wanted = { f: 'float32', i: 'int32', u: 'int32' }
    expect(dtypes).toEqual(
      fixtures.arrays.slice(0, 24).map(({ file }) => {
        const code = /'descr': '.(\w)(\d)/.exec(headerOf(bytesOf(file)))!
        return code[1] === 'b' ? 'bool' : `${code[1]}${code[2]}` === 'u1' ? 'uint8' : wanted[code[1] as 'f']
      }),
    )
    expect((await g.loadNpy(bytesOf(fixtures.written['<f8']!), { dtype: 'stored' })).dtype).toBe('float64')
  })
})

test('what is written are the bytes of numpy', async () => {
  const path = join(temporaryFolder(), 'x.npy')
  const x = g.tensor([
    [0, 1, 1],
    [1, 0, 1],
  ])
  const dtypes = { '<f4': 'float32', '<f8': 'float64', '<i4': 'int32', u1: 'uint8', '?': 'bool' } as const
  for (const [code, dtype] of Object.entries(dtypes)) {
    await g.saveNpy(path, x.cast(dtype))
    expect(readFileSync(path), code).toEqual(Buffer.from(fixtures.written[code]!, 'base64'))
  }
  await g.saveNpy(path, 2.5)
  expect(readFileSync(path)).toEqual(Buffer.from(fixtures.writtenScalar, 'base64'))
  await g.saveNpy(path, g.variable([1, 2, 3]))
  expect(readFileSync(path)).toEqual(Buffer.from(fixtures.writtenVector, 'base64'))
  expect(readdirSync(join(path, '..'))).toEqual(['x.npy'])
})

test('large arrays come back, by rows and by columns', async () => {
  const path = join(temporaryFolder(), 'x.npy')
  const x = g.arange(2 ** 19 + 2).reshape([2, -1])
  await g.saveNpy(path, x)
  expect((await g.loadNpy(path)).equal(x).all().itemSync()).toBe(1)
  const bytes = readFileSync(path)
  const fortran = Buffer.from(
    bytes.toString('latin1').replace("'fortran_order': False", "'fortran_order': True "),
    'latin1',
  )
  const columns = await g.loadNpy(fortran)
  expect(columns.shape).toEqual(x.shape)
  expect(
    columns
      .equal(x.reshape([-1, 2]).transpose())
      .all()
      .itemSync(),
  ).toBe(1)
})

/** A file of a header, right or wrong. */
function npy(header: string, elements = 0, version = 1): Uint8Array {
  const length = version === 1 ? [header.length & 255, header.length >> 8] : [header.length, 0, 0, 0]
  return new Uint8Array(
    Buffer.concat([
      Buffer.from([0x93]),
      Buffer.from('NUMPY'),
      Buffer.from([version, 0, ...length]),
      Buffer.from(header),
      Buffer.alloc(elements),
    ]),
  )
}

const dictionary = (change: object) =>
  `{${Object.entries({ descr: "'<f4'", fortran_order: 'False', shape: '(2,)', ...change })
    .map(([name, value]) => `'${name}': ${value}`)
    .join(', ')}}\n`

describe('a file that is no array is refused', () => {
  const large = npy('')
  large[8] = 255
  large[9] = 255
  const wide = npy('', 0, 2)
  wide.set([255, 255, 255, 255], 8)
  test.each<[string, Uint8Array, string]>([
    ['nothing', new Uint8Array(0), 'expected at least 10 bytes, got 0'],
    ['another format', new Uint8Array(20), 'expected a file that begins with \\x93NUMPY, got another one'],
    ['another version', npy('', 4, 4), 'expected version 1, 2 or 3, got 4'],
    ['a cut header of version 2', npy('', 0, 2).subarray(0, 11), 'expected at least 12 bytes, got 11'],
    ['a header beyond the end', large, 'expected a header of 65535 bytes, got 0 bytes'],
    ['a header beyond the cap', wide, 'expected a header of at most 65536 bytes, got 4294967295'],
    ['no dictionary', npy('x', 8), 'expected a dictionary as header, got "x"'],
    ['an empty dictionary', npy('{}', 8), 'expected descr, fortran_order and shape, got fewer'],
    [
      'a key twice',
      npy(`{'descr': '<f4', 'descr': '<f8'}`, 8),
      'expected descr, fortran_order and shape, each once, got descr',
    ],
    ['another key', npy(dictionary({ x: 'True' }), 8), 'each once, got x'],
    [
      'a call',
      npy(dictionary({ shape: 'exit()' }), 8),
      'expected descr, fortran_order and shape of an array without fields',
    ],
    ['a shape of texts', npy(dictionary({ shape: "'2'" }), 8), 'each once, got shape'],
    ['a shape of holes', npy(dictionary({ shape: '(2,,3)' }), 8), 'expected a tuple of extents, got (2,,3)'],
    ['a shape beyond all', npy(dictionary({ shape: '(99999999999,)' }), 8), 'expected a shape that a tensor may have'],
    [
      'a product beyond all',
      npy(dictionary({ shape: '(2147483647, 2147483647)' }), 8),
      'expected a shape that a tensor may have',
    ],
    ['nine axes', npy(dictionary({ shape: '(1,1,1,1,1,1,1,1,1)' }), 4), 'expected a shape that a tensor may have'],
    ['fewer elements', npy(dictionary({}), 7), 'expected 8 bytes of elements, as [2] of <f4 has, got 7'],
    ['more elements', npy(dictionary({}), 9), 'expected 8 bytes of elements, as [2] of <f4 has, got 9'],
    ['an unknown type', npy(dictionary({ descr: "'<f16'" }), 32), 'expected a dtype of b1, i1'],
    ['a type of objects', npy(dictionary({ descr: "'toString'" }), 8), 'expected a dtype of'],
    [
      'objects',
      bytesOf(fixtures.objects),
      'expected a dtype of b1, i1, u1, i2, u2, f2, i4, u4, f4, i8, u8, f8, got |O',
    ],
    ['records', bytesOf(fixtures.records), 'expected descr, fortran_order and shape of an array without fields'],
    ['texts', bytesOf(fixtures.texts), 'got <U1'],
    ['complex numbers', bytesOf(fixtures.complex), 'got <c16'],
  ])('%s', async (_, bytes, message) => {
    const error = await errorOf(() => g.loadNpy(bytes))
    expect(error).toBeInstanceOf(g.DataFormatError)
    expect((error as Error).message).toContain(message)
    expect((error as Error).message).toMatch(/^npy: expected .*, got .* \(bytes\)$/s)
  })

  test('and the checks let right ones pass', async () => {
    expect((await g.loadNpy(npy(dictionary({}), 8))).shape).toEqual([2])
    expect((await g.loadNpy(npy(dictionary({ shape: '(2L,)' }), 8))).shape).toEqual([2])
  })
})

describe('several arrays', () => {
  test.each(['npz', 'compressed'] as const)('%s of numpy', async (name) => {
    const state = await g.loadNpz(bytesOf(fixtures[name]))
    expect(await state.x!.array()).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ])
    expect([state.y!.dtype, ...state.y!.dataSync()]).toEqual(['int32', 1, 2])
    if (name === 'compressed') expect(state.zeros!.shape).toEqual([5000])
    expect(Object.keys(await g.loadNpz(bytesOf(fixtures[name]), { names: ['y'], dtype: 'float64' }))).toEqual(['y'])
  })

  test('come back', async () => {
    const path = join(temporaryFolder(), 'x.npz')
    const state = { x: g.randn([3, 4]), né: g.tensor([true, false]), large: g.arange(2 ** 18 + 1), v: g.variable(3) }
    await g.saveNpz(path, state)
    const loaded = await g.loadNpz(path)
    expect(Object.keys(loaded)).toEqual(Object.keys(state))
    for (const [name, x] of Object.entries(loaded))
      expect(
        x
          .equal(state[name as 'x'])
          .all()
          .itemSync(),
        name,
      ).toBe(1)
    await g.saveNpz(path, {})
    expect(await g.loadNpz(path)).toEqual({})
  })

  const right = bytesOf(fixtures.npz)
  const changed = (change: (bytes: Buffer) => void) => {
    const bytes = Buffer.from(right)
    change(bytes)
    return new Uint8Array(bytes)
  }
  const directory = Buffer.from(right).indexOf(Buffer.from('PK\x01\x02', 'latin1'))
  const end = right.length - 22
  test.each<[string, Uint8Array, string]>([
    ['nothing', new Uint8Array(0), 'expected a zip file with its directory at the end, got 0 bytes'],
    ['an array', bytesOf(fixtures.arrays[0]!.file), 'expected a zip file with its directory at the end, got none'],
    ['a cut file', right.subarray(0, right.length - 1), 'expected a zip file with its directory at the end, got none'],
    [
      'a directory beyond the end',
      changed((bytes) => bytes.writeUInt32LE(2 ** 31, end + 16)),
      'expected a directory in the file',
    ],
    [
      'a directory too large',
      changed((bytes) => bytes.writeUInt32LE(2 ** 31, end + 12)),
      'expected a directory in the file',
    ],
    [
      'another name in the directory',
      changed((bytes) => bytes.writeUInt8(bytes[directory + 46]! ^ 8, directory + 46)),
      '.npy before its bytes, too, got ',
    ],
    [
      'a directory that is none',
      changed((bytes) => bytes.writeUInt32LE(0, directory)),
      'expected an entry of the directory, got something else',
    ],
    [
      'another number of entries',
      changed((bytes) => bytes.writeUInt16LE(7, end + 10)),
      'expected 7 entries in the directory, got 2',
    ],
    [
      'a name that is too long',
      changed((bytes) => bytes.writeUInt16LE(60_000, directory + 28)),
      'expected an entry of the directory, got less',
    ],
    ['encryption', changed((bytes) => bytes.writeUInt16LE(1, directory + 8)), 'expected x.npy without encryption'],
    [
      'another method',
      changed((bytes) => bytes.writeUInt16LE(12, directory + 10)),
      'expected x.npy stored or deflated, got method 12',
    ],
    [
      'another checksum',
      changed((bytes) => bytes.writeUInt32LE(1, directory + 16)),
      'expected x.npy as it was packed, got other bytes',
    ],
    ['another size', changed((bytes) => bytes.writeUInt32LE(1, directory + 24)), 'expected 1 bytes of x.npy'],
    [
      'a size of 64 bits that is not there',
      changed((bytes) => bytes.writeUInt32LE(2 ** 32 - 1, directory + 24)),
      'expected the sizes of x.npy, got none',
    ],
    [
      'bytes beyond the end',
      changed((bytes) => {
        bytes.writeUInt32LE(2 ** 30, directory + 20)
        bytes.writeUInt32LE(2 ** 30, directory + 24)
      }),
      'bytes of x.npy, got',
    ],
    [
      'a member beyond the end',
      changed((bytes) => bytes.writeUInt32LE(2 ** 31, directory + 42)),
      'expected x.npy in the file',
    ],
    [
      'a member that is none',
      changed((bytes) => bytes.writeUInt32LE(5, directory + 42)),
      'expected a header of x.npy, got something else',
    ],
    [
      'stored bytes as deflated ones',
      changed((bytes) => bytes.writeUInt16LE(8, directory + 10)),
      'expected x.npy as it was packed',
    ],
  ])('with %s are refused', async (_, bytes, message) => {
    const error = await errorOf(() => g.loadNpz(bytes))
    expect(error).toBeInstanceOf(g.DataFormatError)
    expect((error as Error).message).toContain(message)
    expect((error as Error).message).toMatch(/^zip: expected .*, got .* \(bytes\)$/s)
  })

  test('that expand to more than they claim fill no memory', async () => {
    const bytes = Buffer.from(bytesOf(fixtures.compressed))
    const at = bytes.lastIndexOf(Buffer.from('PK\x01\x02', 'latin1'))
    bytes.writeUInt32LE(300, at + 24)
    await expect(g.loadNpz(bytes)).rejects.toThrow(/^zip: expected zeros\.npy as it was packed, got /)
  })

  test('of which one is no array', async () => {
    const bytes = changed((bytes) => bytes.write('?', bytes.indexOf("'<f4'") + 1))
    await expect(g.loadNpz(bytes)).rejects.toThrow(g.DataFormatError)
  })
})

test.each<[string, () => unknown, string]>([
  ['no path', () => g.loadNpy(3 as never), 'loadNpy: expected a path or a Uint8Array, got 3'],
  ['a file that is not there', () => g.loadNpz('none.npz'), 'loadNpz: cannot read none.npz: ENOENT'],
  [
    'names that are not there',
    () => g.loadNpz(bytesOf(fixtures.npz), { names: ['z', 'x'] }),
    'loadNpz: expected arrays that the file has (x, y), got z',
  ],
  [
    'names in a text',
    () => g.loadNpz(bytesOf(fixtures.npz), { names: 'x' as never }),
    'loadNpz: expected a list of names',
  ],
  ['no tensor', () => g.saveNpy('x', 'y' as never), 'saveNpy: expected'],
  ['no tensors', () => g.saveNpz('x', { a: 1 as never }), 'saveNpz: expected a tensor as a, got 1'],
  ['no record', () => g.saveNpz('x', g.ones([1]) as never), 'saveNpz: expected tensors by name'],
  ['no folder', () => g.saveNpy(join('no', 'x'), 1), 'saveNpy: cannot write'],
])('bad arguments: %s', async (_, call, message) => {
  expect(((await errorOf(call)) as Error).message).toContain(message)
})

test('a file on the disk is read by its path', async () => {
  const path = join(temporaryFolder(), 'x.npz')
  writeFileSync(path, bytesOf(fixtures.compressed))
  expect(Object.keys(await g.loadNpz(path))).toEqual(['x', 'y', 'zeros'])
})
