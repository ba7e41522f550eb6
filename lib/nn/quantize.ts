/** Linear layers of a model become ones of int8. */
import { describe } from '../base/arguments.ts'
import { expected } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { extentAt } from '../base/shape.ts'
import { Linear } from './linear.ts'
import { type AnyModule, Module } from './module.ts'
import { partsOf } from './parts.ts'
import { Quantized, QuantizedLinear } from './quantized.ts'

export interface QuantizeOptions {
  /** What weights become: `'int8'`, the only choice. */
  weights?: 'int8'
  /** Whether each output of a layer has a scale of its own, rather than all the same one; true unless given. */
  perChannel?: boolean
  /** Which linear layers, by the layer and its path; all unless given. */
  filter?: (layer: Linear, path: string) => boolean
}

const quantizeOptions: OptionTypes<QuantizeOptions> = { weights: 'string', perChannel: 'boolean', filter: 'function' }

/**
 * A model for inference that computes as the given one does, but for its linear layers, wherever they are in it: their weights are
 * int8, a quarter of the bytes, and each row that comes to them is rounded to int8 by its own greatest magnitude, so that a result does not
 * depend on the batch it is in. No data is needed to calibrate anything. PyTorch's `quantize_dynamic`.
 *
 * The given model stays as it is. What is not replaced is shared with it: convolutions, embeddings, normalizations, linear layers
 * of another dtype than float32 or of more than 2¹⁷ inputs, and what is in private fields (`#inner`), which cannot be seen. Whoever trains the model on
 * quantizes it again.
 *
 * Its `forward` is always in evaluation mode, it has no parameters to train, and a gradient through a layer of int8 is an error. Its
 * state is saved and loaded like that of any module: into a model that was made and quantized in the same way.
 *
 * @throws TypeError for what is no module, or has no such layer; RangeError for other weights than int8
 *
 * @example
 * const small = quantize(model, { weights: 'int8', filter: (layer, path) => path !== 'head' })
 * await save('small.safetensors', small.stateDict())
 */
export function quantize<Input, Output>(
  model: Module<Input, Output>,
  options?: QuantizeOptions,
  ...surplus: []
): Module<Input, Output> {
  const given = checkOptions('quantize', options, quantizeOptions, surplus)
  const { weights = 'int8', perChannel = true, filter = () => true } = given
  if (weights !== 'int8') throw new RangeError(expected('quantize', "weights 'int8'", weights))
  if (!(model instanceof Module)) throw new TypeError(expected('quantize', 'a module', describe(model)))
  const chosen = [...partsOf(model).paths].filter(
    (part): part is [Linear, string] => part[0] instanceof Linear && fits(part[0]) && filter(part[0], part[1]),
  )
  if (chosen.length === 0)
    throw new TypeError(
      expected('quantize', 'a model with linear layers of float32', `${model.constructor.name} without`),
    )
  const layers = new Map(chosen.map(([layer]) => [layer, new QuantizedLinear(layer, perChannel)]))
  const own: AnyModule | undefined = layers.get(model as AnyModule as Linear)
  return (own as Module<Input, Output> | undefined) ?? new Quantized(model, layers)
}

const fits = ({ weight }: Linear): boolean => weight.dtype === 'float32' && extentAt(weight.shape, 1) <= mostInputs

/** What `quantizedMatmul` takes. */
const mostInputs = 2 ** 17
