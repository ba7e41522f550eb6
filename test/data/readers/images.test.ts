/** Images in folders of classes, in files that sharp makes. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import * as g from '../../../lib/index.ts'
import { errorOf, temporaryFolder } from '../../files/files.ts'

/** An image of one colour, with a pixel of white in the corner. */
async function write(path: string, colour: number[], width = 4, height = 3): Promise<void> {
  const pixels = Buffer.from(
    Array.from({ length: width * height }, (_, i) => (i === 0 ? colour.map(() => 255) : colour)).flat(),
  )
  const channels = colour.length as 1 | 3 | 4
  await sharp(pixels, { raw: { width, height, channels } }).png().toFile(path)
}

async function pets(): Promise<string> {
  const folder = temporaryFolder()
  for (const name of ['dogs', 'cats', '.hidden']) mkdirSync(join(folder, name))
  await write(join(folder, 'cats', 'b.png'), [10, 20, 30])
  await write(join(folder, 'cats', 'a.PNG'), [1, 2, 3])
  await write(join(folder, 'dogs', 'grey.png'), [7])
  await write(join(folder, 'dogs', 'clear.png'), [50, 60, 70, 255])
  await write(join(folder, '.hidden', 'x.png'), [1, 2, 3])
  writeFileSync(join(folder, 'cats', 'notes.txt'), 'x')
  return folder
}

test('images come with the numbers of their classes, in the order of names', async () => {
  const { images, classes } = await g.data.fromImageFolder(await pets())
  expect(classes).toEqual(['cats', 'dogs'])
  expect(images.size).toBe(4)
  const found = await images.toArray()
  expect(found.map(([, label]) => label)).toEqual([0, 0, 1, 1])
  const [first] = found[1]!
  expect([first.dtype, first.shape]).toEqual(['uint8', [3, 3, 4]])
  expect([...first.dataSync()].slice(0, 13)).toEqual([255, ...Array(11).fill(10), 255])
  expect(found.map(([x]) => x.slice(0, 3).dataSync().at(-1))).toEqual([3, 30, 70, 7])
  const [batch] = await images.batch(4).toArray()
  expect([batch![0].shape, batch![0].dtype, batch![1].shape]).toEqual([[4, 3, 3, 4], 'uint8', [4]])
})

test('they are scaled, and grey where that is asked for', async () => {
  const { images } = await g.data.fromImageFolder(await pets(), { size: [8, 6], channels: 1 })
  const found = await images.toArray()
  for (const [x] of found) expect(x.shape).toEqual([1, 8, 6])
  expect(found[3]![0].dataSync().at(-1)).toBe(7)
})

test('a pass goes on where its state stands', async () => {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'a'))
  for (let i = 0; i < 40; i++) await write(join(folder, 'a', `${String(i).padStart(2, '0')}.png`), [i], 1, 2)
  const { images } = await g.data.fromImageFolder(folder, { channels: 1 })
  const pass = images.open()
  for (let i = 0; i < 21; i++) await pass.next()
  const rest: number[] = []
  for await (const [x] of images.open({ state: pass.state() })) rest.push(x.dataSync()[1]!)
  expect(rest).toEqual(Array.from({ length: 19 }, (_, i) => i + 21))
})

test('what is no image is said with its path', async () => {
  const folder = await pets()
  writeFileSync(join(folder, 'cats', 'c.jpg'), 'no image')
  const { images } = await g.data.fromImageFolder(folder)
  const error = await errorOf(() => images.toArray())
  expect(error).toBeInstanceOf(g.DataFormatError)
  expect((error as Error).message).toMatch(/^fromImageFolder: expected an image, got .* \(.*c\.jpg\)$/s)
})

test('no folder, no images, bad options', async () => {
  await expect(g.data.fromImageFolder('none')).rejects.toMatchObject({ code: 'ENOENT' })
  await expect(g.data.fromImageFolder(temporaryFolder())).rejects.toThrow(
    'fromImageFolder: expected images in folders of classes, got none in ',
  )
  await expect(g.data.fromImageFolder('x', { channels: 4 })).rejects.toThrow(
    'fromImageFolder: expected 1 or 3 channels, got 4',
  )
  await expect(g.data.fromImageFolder('x', { size: [3] as never })).rejects.toThrow(
    'fromImageFolder: expected a size as [height, width]',
  )
  await expect(g.data.fromImageFolder('x', { size: [0, 3] })).rejects.toThrow(
    'fromImageFolder: expected extents from 1 to 16384, got 0',
  )
})
