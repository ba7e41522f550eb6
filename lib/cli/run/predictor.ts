/** A model of any origin, as commands ask it: of a run, or of a file of ONNX, Keras or TensorFlow.js. */
import { existsSync } from 'node:fs'
import { basename, extname, join } from 'node:path'
import * as nn from '../../nn/index.ts'
import { Tensor } from '../../tensor/tensor.ts'
import type { DataDescription, Target } from '../data/description.ts'
import { CommandError, exitCodes } from '../exit.ts'
import { isOfRun, loadRun, type Run } from './folder.ts'

/** What the numbers of a model mean. */
export type Scale = 'logits' | 'logProbabilities' | 'binaryLogits' | 'margins' | 'numbers'

export interface Predictor {
  /** From rows as they are read to the numbers of the model; in evaluation mode. */
  readonly model: nn.Module
  /** Of a row that it is given. */
  readonly input: { readonly shape: readonly number[]; readonly dtype: Tensor['dtype'] }
  readonly scale: Scale
  /** null of a file, which does not say it. */
  readonly data: DataDescription | null
  readonly run: Run | null
  /** The file of its parameters. */
  readonly file: string
}

const scales: Readonly<Record<string, Scale>> = {
  binaryCrossEntropy: 'binaryLogits',
  bce: 'binaryLogits',
  hinge: 'margins',
  negativeLogLikelihood: 'logProbabilities',
  nll: 'logProbabilities',
}

const scaleOf = (target: Target, loss: unknown): Scale =>
  target.type === 'numbers' ? 'numbers' : ((typeof loss === 'string' ? scales[loss] : undefined) ?? 'logits')

/** @throws CommandError for what is no model */
export async function loadPredictor(path: string): Promise<Predictor> {
  if (!existsSync(path)) throw new CommandError(`there is no ${path}`, { code: exitCodes.usage })
  if (isOfRun(path)) {
    const { run, pipeline, weights } = await loadRun(path)
    const { data, config } = run
    const model = pipeline as unknown as nn.Module
    return { model, input: data.input, scale: scaleOf(data.target, config.loss), data, run, file: weights }
  }
  const { model, input } = await loadForeign(path)
  return { model, input, scale: 'numbers', data: null, run: null, file: path }
}

type Foreign = Pick<Predictor, 'model' | 'input'>

/** A module whose input is cast to what it takes. */
class Cast extends nn.Module {
  constructor(
    readonly model: nn.Module<never, unknown>,
    private readonly dtype: Tensor['dtype'],
  ) {
    super()
  }

  forward(x: Tensor): Tensor {
    const output = this.model.forward((x.dtype === this.dtype ? x : x.cast(this.dtype)) as never)
    if (output instanceof Tensor) return output
    throw new CommandError('expected a model of one output, got several')
  }

  override stateDict() {
    return this.model.stateDict()
  }
}

/** The only input of a model, with the extents that it says. */
interface Declared {
  readonly name: string
  readonly dtype: Tensor['dtype']
  readonly shape: readonly (number | string | null)[] | null
}

function foreign(model: nn.Module<never, unknown>, inputs: readonly Declared[], path: string): Foreign {
  const [input, ...others] = inputs
  if (input === undefined || others.length > 0)
    throw new CommandError(`expected a model of one input, got ${inputs.length}`, { where: path })
  const shape = (input.shape ?? []).slice(1)
  const isKnown = (extent: unknown): extent is number => typeof extent === 'number'
  if (input.shape === null || !shape.every(isKnown))
    throw new CommandError(`expected an input whose rows are of one shape, got [${input.shape ?? '…'}]`, {
      where: path,
    })
  model.eval()
  return { model: new Cast(model, input.dtype), input: { shape, dtype: input.dtype } }
}

async function loadForeign(path: string): Promise<Foreign> {
  const extension = extname(path).toLowerCase()
  if (extension === '.onnx') {
    const model = await (await import('../../onnx/load.ts')).load(path)
    return foreign(model as unknown as nn.Module<never, unknown>, model.inputs, path)
  }
  if (extension === '.keras' || extension === '.h5') {
    const model = await (await import('../../keras/index.ts')).load(path)
    return foreign(model as unknown as nn.Module<never, unknown>, model.inputs, path)
  }
  if (basename(path) === 'model.json' || existsSync(join(path, 'model.json'))) {
    const model = await (await import('../../tfjs/index.ts')).load(path)
    return foreign(model as unknown as nn.Module<never, unknown>, model.inputs as readonly Declared[], path)
  }
  throw new CommandError(`expected a run or a model (.onnx, .keras, .h5, model.json), got ${path}`, {
    help:
      extension === '.safetensors' || extension === '.pt'
        ? 'a file of tensors does not say what is computed with them: name the folder of its run'
        : 'galvani train makes a run: runs/<name>',
    code: exitCodes.usage,
  })
}
