/** `galvani export`: a model as a file of ONNX, or its parameters as safetensors. */
import { extname } from 'node:path'
import type { Command } from 'commander'
import '../../operations/methods.ts'
import type { SaveOptions } from '../../files/safetensors.ts'
import { save } from '../../files/safetensors.ts'
import { zeros } from '../../tensor/creation.ts'
import { choiceOf, opsetOf } from '../arguments.ts'
import { CommandError, exitCodes } from '../exit.ts'
import { Pipeline } from '../model/build.ts'
import { loadPredictor, type Predictor } from '../run/predictor.ts'

interface Options {
  readonly out: string
  readonly opset?: number
  readonly dtype?: NonNullable<SaveOptions['dtype']>
}

const dtypes = ['float16', 'bfloat16', 'float32', 'float64'] as const

export function configure(command: Command): void {
  command
    .argument('<model>', 'a run, a file of its parameters, or a model: .onnx, .keras, .h5, model.json')
    .requiredOption('--out <file>', '.onnx for the model, .safetensors for its parameters alone')
    .option('--opset <number>', 'of ONNX, from 13 to 23; 17 unless given', opsetOf)
    .option('--dtype <name>', `what floats of safetensors are: ${dtypes.join(', ')}`, choiceOf(dtypes))
    .action(async (path: string, options: Options) => {
      const format = extname(options.out).toLowerCase()
      if (format !== '.onnx' && format !== '.safetensors')
        throw new CommandError(`--out: expected a file that ends in .onnx or .safetensors, got ${options.out}`, {
          code: exitCodes.usage,
        })
      const predictor = await loadPredictor(path)
      await (format === '.onnx' ? exportOnnx : exportTensors)(predictor, options)
      console.log(options.out)
    })
}

/** What a program that runs it has to know. */
function metadataOf({ data }: Predictor): Record<string, string> {
  if (data === null) return {}
  const { target } = data
  const columns: Record<string, string> = data.kind === 'table' ? { columns: JSON.stringify(data.columns) } : {}
  return target.type === 'classes'
    ? { classes: JSON.stringify(target.names), ...columns }
    : { targets: JSON.stringify(target.columns), ...columns }
}

async function exportOnnx(predictor: Predictor, { out, opset }: Options): Promise<void> {
  const { exportModel } = await import('../../onnx/export/index.ts')
  const { shape, dtype } = predictor.input
  const metadata = metadataOf(predictor)
  await exportModel(predictor.model, zeros([1, ...shape], { dtype }), out, {
    metadata,
    ...(opset === undefined ? {} : { opset }),
  })
}

async function exportTensors(predictor: Predictor, { out, dtype }: Options): Promise<void> {
  const { model } = predictor
  const state = model instanceof Pipeline ? model.saved() : model.stateDict()
  await save(out, state, {
    metadata: { format: 'pt', ...metadataOf(predictor) },
    ...(dtype === undefined ? {} : { dtype }),
  })
}
