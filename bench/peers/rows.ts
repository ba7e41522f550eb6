/** What is measured: the same work in every library. Python's part of it is in python_peers.py, under the same names. */

/** Layer sizes of the classifier of 28×28 images. */
export const mlp = [784, 256, 128, 10] as const
export const wideMlp = [784, 1024, 1024, 10] as const

export interface TrainingRow {
  readonly kind: 'training'
  readonly layers: readonly number[]
  readonly batch: number
  readonly optimizer: 'adam' | 'sgd'
}

export interface InferenceRow {
  readonly kind: 'inference'
  readonly batch: number
}

/**
 * Two encoder layers as PyTorch has them by default, without dropout, the mean over the sequence, a dense layer to 10
 * classes, cross entropy, Adam.
 */
export const transformer = { layers: 2, features: 128, heads: 4, feedForward: 512, length: 64, batch: 16 } as const

/**
 * A transformer that predicts characters from those before them: layers that normalize first, gelu, a last normalization and the
 * embedding's own weights as the last layer; cross entropy of each position, Adam.
 */
export const gpt = { classes: 96, batch: 16, context: 64, layers: 4, features: 128 } as const

/**
 * Two convolutions 3×3 ('same') of 28×28 images, to 16 and to 32 channels, each with relu and max pooling by 2; dense layers
 * to 128, with relu, and to 10 classes; cross entropy, Adam.
 */
export const convolutional = { batch: 64, channels: [1, 16, 32], hidden: 128 } as const

/**
 * Convolutions 3×3 ('same', without bias) of 28×28 images, each with batch normalization in training and relu, max pooling by 2
 * between them; a dense layer to 10 classes; cross entropy, Adam.
 */
export const normalized = { batch: 128, channels: [1, 32, 32, 64] } as const

/**
 * ResNet-20 of 3×32×32 images: a convolution 3×3 and three stages of three blocks, of which all but the first stage's halve the
 * image; 1×1 convolutions where a block's input has another shape; batch normalization in training; the mean over the
 * positions, a dense layer to 10 classes; cross entropy, Adam. K. He et al., "Deep residual learning" (2015).
 */
export const residual = { batch: 64, size: 32, channels: [16, 32, 64], blocks: 3 } as const

/** One LSTM layer, the mean of the squares of its outputs as the loss, SGD. */
export const recurrent = { batch: 16, length: 64, features: 64, hidden: 128 } as const

export type Row =
  | TrainingRow
  | InferenceRow
  | { readonly kind: 'transformer' }
  | { readonly kind: 'gpt' }
  | { readonly kind: 'recurrent' }
  | { readonly kind: 'convolutional' }
  | { readonly kind: 'normalized' }
  | { readonly kind: 'residual' }
  | { readonly kind: 'tiny gradient' }
  | { readonly kind: 'epoch' }

const training = (layers: readonly number[], batch: number, optimizer: 'adam' | 'sgd'): TrainingRow => ({
  kind: 'training',
  layers,
  batch,
  optimizer,
})

/** By name. */
export const rows: Readonly<Record<string, Row>> = {
  'step, batch 32, Adam': training(mlp, 32, 'adam'),
  'step, batch 128, Adam': training(mlp, 128, 'adam'),
  'step, batch 128, SGD': training(mlp, 128, 'sgd'),
  'step, batch 1024, SGD': training(mlp, 1024, 'sgd'),
  'wide step, batch 256, Adam': training(wideMlp, 256, 'adam'),
  'transformer step': { kind: 'transformer' },
  'character GPT step': { kind: 'gpt' },
  'LSTM step, batch 16, 64 steps': { kind: 'recurrent' },
  'CNN step, batch 64, Adam': { kind: 'convolutional' },
  'CNN with batch normalization, batch 128': { kind: 'normalized' },
  'ResNet-20, batch 64': { kind: 'residual' },
  'tiny gradient': { kind: 'tiny gradient' },
  'inference, batch 1': { kind: 'inference', batch: 1 },
  'inference, batch 16': { kind: 'inference', batch: 16 },
  'inference, batch 64': { kind: 'inference', batch: 64 },
  'inference, batch 256': { kind: 'inference', batch: 256 },
  'Fashion-MNIST epoch': { kind: 'epoch' },
}

/** What a peer prints, as JSON on one line: median microseconds by row; rows that it cannot do are missing. */
export interface Report {
  readonly name: string
  readonly microseconds: Readonly<Record<string, number>>
  /** What arithmetic or memory needs at least, where the peer knows. */
  readonly limits?: Readonly<Record<string, number>>
}

/** The median time of a call in microseconds, over `seconds` of calls after a warm-up of a third of that. */
export async function medianMicroseconds(call: () => unknown, seconds: number): Promise<number> {
  const run = async (limit: number): Promise<number[]> => {
    const times: number[] = []
    const end = performance.now() + 1000 * limit
    do {
      const start = performance.now()
      const result = call()
      if (result instanceof Promise) await result
      times.push(1000 * (performance.now() - start))
    } while (performance.now() < end || times.length < 3)
    return times
  }
  await run(seconds / 3)
  const times = (await run(seconds)).sort((a, b) => a - b)
  return times[times.length >> 1]!
}

/** For calls of some microseconds, which the clock is too coarse for: the median over batches of 200 calls. */
export const medianOfBatches = async (call: () => unknown, seconds: number): Promise<number> =>
  (await medianMicroseconds(() => {
    for (let i = 0; i < 200; i++) call()
  }, seconds)) / 200

/** The names after the first `--`-less argument of a peer's command line: seconds, then rows. */
export function arguments_(): { seconds: number; wanted: readonly (readonly [string, Row])[] } {
  const [seconds = '1', ...names] = process.argv.slice(2)
  const wanted = Object.entries(rows).filter(([name]) => names.length === 0 || names.includes(name))
  return { seconds: Number(seconds), wanted }
}

/** A row's time in microseconds, and its limit where that is known. */
export interface Measured {
  readonly time: number
  readonly limit?: number | undefined
}

/** Measures what `measure` can do, and prints the report. What fails, as its data are not here, costs that row alone. */
export async function report(
  name: string,
  measure: (row: Row, seconds: number) => Promise<number | Measured | undefined>,
): Promise<void> {
  const { seconds, wanted } = arguments_()
  const [microseconds, limits]: Record<string, number>[] = [{}, {}]
  for (const [rowName, row] of wanted) {
    try {
      const measured = await measure(row, seconds)
      if (measured === undefined) continue
      const { time, limit } = typeof measured === 'number' ? { time: measured } : measured
      microseconds![rowName] = time
      if (limit !== undefined) limits![rowName] = limit
    } catch (error) {
      console.error(`bench:peers: ${name}, ${rowName}: ${(error as Error).message}`)
    }
  }
  console.log(JSON.stringify({ name, microseconds: microseconds!, limits: limits! } satisfies Report))
}

/** Numbers from −0.5 to 0.5, the same ones each time. */
export function numbers(size: number): Float32Array {
  let state = 1
  return Float32Array.from({ length: size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32 - 0.5
  })
}

/** The same tokens each time. */
export const tokensOf = (count: number, classes: number): Int32Array =>
  Int32Array.from(numbers(count), (x) => Math.floor((x + 0.5) * classes) % classes)

export const labelsOf = (batch: number): Int32Array => Int32Array.from({ length: batch }, (_, i) => i % 10)
