/** What becomes of a row before the model's own layers: it is part of the model, so that it goes wherever that goes. */
import type { Dataset } from '../../data/dataset.ts'
import { fillMissing, minMax, standardize } from '../../data/preprocessing/index.ts'
import * as nn from '../../nn/index.ts'
import { concat, split } from '../../operations/index.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { DataConfig } from '../config/schema.ts'
import { type DataDescription, widthOf } from '../data/description.ts'

/** The first features of a table, which are numbers, in the hands of some modules; the others are 0 and 1, and stay. */
class FirstFeatures extends nn.Module {
  constructor(
    private readonly count: number,
    private readonly width: number,
    readonly steps: readonly nn.Module[],
  ) {
    super()
  }

  forward(x: Tensor): Tensor {
    const prepare = (numbers: Tensor) => this.steps.reduce((value, step) => step.forward(value), numbers)
    if (this.count === this.width) return prepare(x)
    const [numbers, others] = split(x, [this.count, this.width - this.count], 1)
    return concat([prepare(numbers), others], 1)
  }
}

/** Bytes as numbers from 0 to 1. */
const unit = () => nn.lambda((x) => x.cast('float32').div(255))
const asFloats = () => nn.lambda((x) => x.cast('float32'))

/** What is fitted to the rows of training, in order, each to what the ones before it give. */
export interface Preparation {
  /** null where rows go to the layers as they are. */
  readonly module: nn.Module | null
  fit(train: Dataset): Promise<void>
}

const nothing: Preparation = { module: null, fit: async () => {} }
const fixed = (module: nn.Module): Preparation => ({ module, fit: async () => {} })

const scaleOf = (normalize: string, features: number) =>
  normalize === 'standard' ? standardize(features) : normalize === 'minMax' ? minMax(features) : undefined

export function preparationOf(data: DataConfig, description: DataDescription): Preparation {
  if (description.kind === 'table') return tablePreparation(data, description)
  const normalize = data.normalize ?? (description.kind === 'images' ? 'unit' : 'none')
  const { dtype, shape } = description.input
  if (normalize === 'unit') return fixed(unit())
  if (normalize === 'none') return dtype === 'uint8' ? fixed(asFloats()) : nothing
  const scale = scaleOf(normalize, shape.at(-1)!)!
  const module = dtype === 'float32' ? scale : nn.sequential(asFloats(), scale)
  const fit = async (train: Dataset) => void (await scale.fit(train, (x: Tensor) => x.cast('float32')))
  return { module, fit }
}

function tablePreparation(data: DataConfig, { columns }: Extract<DataDescription, { kind: 'table' }>): Preparation {
  const numbers = columns.filter(({ type }) => type !== 'category')
  const width = columns.reduce((sum, column) => sum + widthOf(column), 0)
  const count = numbers.reduce((sum, column) => sum + widthOf(column), 0)
  if (count === 0) return nothing
  const { missing = 'mean', normalize = 'standard' } = data as { missing?: 'mean'; normalize?: string }
  const hasMissing = numbers.some((column) => column.type === 'number' && column.hasMissing)
  const fill = hasMissing ? fillMissing(count, { strategy: missing }) : undefined
  const scale = scaleOf(normalize, count)
  const steps = [fill, scale].filter((step) => step !== undefined)
  if (steps.length === 0) return nothing
  const first = (x: Tensor) => (count === width ? x : split(x, [count, width - count], 1)[0])
  return {
    module: new FirstFeatures(count, width, steps),
    async fit(train) {
      await fill?.fit(train, first)
      // Means and deviations leave out what is missing.
      await scale?.fit(train, first)
    },
  }
}
