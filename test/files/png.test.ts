/** What is written as PNG is what libvips reads. */
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { type Channels, encodePng } from '../../lib/files/png.ts'

test.each<Channels>([1, 3, 4])('an image of %i channels is what another decoder reads', async (channels) => {
  const [width, height] = [37, 23]
  const pixels = Uint8Array.from({ length: width * height * channels }, (_, i) => (i * 7919) >> 3)
  const png = await encodePng(pixels, { width, height, channels })
  const image = sharp(png).toColourspace(channels === 1 ? 'b-w' : 'srgb')
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true })
  expect(info).toMatchObject({ width, height, channels })
  expect(new Uint8Array(data)).toEqual(pixels)
})

test('an image of one pixel', async () => {
  const png = await encodePng(Uint8Array.of(200), { width: 1, height: 1, channels: 1 })
  expect(png.subarray(1, 4).toString()).toBe('PNG')
  expect([...(await sharp(png).toColourspace('b-w').raw().toBuffer())]).toEqual([200])
})
