/** The first rows of a training's inputs as pictures, or what a function gives after each epoch. */
import { describe } from '../../base/arguments.ts'
import { expected } from '../../base/errors.ts'
import { isPlainObject } from '../../base/options.ts'
import type { Shape } from '../../base/shape.ts'
import { evaluate, Tensor } from '../../tensor/tensor.ts'
import type { Argument } from '../../train/source.ts'
import { imagesOf, pixelsOf } from '../pictures.ts'
import type { Part, Recording } from '../recording.ts'
import { inputOf, onSample } from '../sample.ts'

/** Pictures by their tags, each tensor of several: [n, height, width], [n, channels, height, width] or [n, height, width, channels]. */
export type ImageFunction = (info: {
  epoch: number
  model: unknown
}) => Readonly<Record<string, Tensor>> | Promise<Readonly<Record<string, Tensor>>>

export class InputImages implements Part {
  readonly #count: number
  readonly #shape: Shape | undefined

  constructor(count: number, shape: Shape | undefined) {
    this.#count = count
    this.#shape = shape
  }

  async sampled(recording: Recording, argument: Argument): Promise<void> {
    const first = onSample(recording.run.settings, false, (batch) => {
      const x = inputOf(batch)
      const rows = x && (x.shape[0] ?? 0) > this.#count ? x.gather(firstOf(this.#count)) : x
      return rows && pixelsOf('observe', rows, this.#shape)
    })
    const pixels = await first(argument)
    if (pixels === undefined) return
    const images = await imagesOf(pixels)
    recording.write({ type: 'images', ...recording.place(), tag: 'inputs', images })
  }
}

const firstOf = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

/** Of a function of the user's. */
export class ImagesOfFunction implements Part {
  readonly #function: ImageFunction
  readonly #shape: Shape | undefined

  constructor(fn: ImageFunction, shape: Shape | undefined) {
    this.#function = fn
    this.#shape = shape
  }

  async epoch(recording: Recording, { epoch }: { epoch: number }): Promise<void> {
    const place = recording.place()
    const given: unknown = await this.#function({ epoch, model: recording.run.settings.model })
    if (!isPlainObject(given)) throw new TypeError(expected('observe', 'tensors by name from images', describe(given)))
    for (const [tag, x] of Object.entries(given)) {
      if (!(x instanceof Tensor))
        throw new TypeError(expected('observe', `a tensor as ${tag} from images`, describe(x)))
      const pixels = pixelsOf('observe', x, this.#shape)
      if (pixels === undefined)
        throw new TypeError(
          expected('observe', `pictures as ${tag} from images, [n, height, width] or with channels`, String(x)),
        )
      await evaluate(pixels)
      recording.write({ type: 'images', ...place, tag, images: await imagesOf(pixels) })
    }
  }
}
