/** Images as PNG files. */

export type Channels = 1 | 3 | 4

/** By channels: the numbers that PNG has for gray, RGB and RGB with alpha. */
const colorTypes = { 1: 0, 3: 2, 4: 6 } as const

/** Each pixel less what Paeth's predictor makes of its neighbours: small files of photographs for one pass over them. */
const paeth = 4

/**
 * The file of an image whose pixels are in rows, each of its channels from 0 to 255. It is compressed off the event loop.
 * @param channels 1 gray, 3 RGB, 4 with alpha
 */
export async function encodePng(
  pixels: Uint8Array,
  { width, height, channels }: { readonly width: number; readonly height: number; readonly channels: Channels },
): Promise<Buffer> {
  const { PNG } = await import('pngjs')
  const type = colorTypes[channels]
  const inputHasAlpha = channels === 4
  const png = new PNG({ width, height, colorType: type, inputColorType: type, inputHasAlpha, filterType: paeth })
  png.data = Buffer.from(pixels.buffer, pixels.byteOffset, pixels.length)
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    png.on('data', (chunk) => chunks.push(chunk as Buffer))
    png.on('end', () => resolve(Buffer.concat(chunks)))
    png.on('error', reject)
    png.pack()
  })
}
