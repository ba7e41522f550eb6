/** Models for inference whose linear layers have weights of int8. */
import { describe } from '../base/arguments.ts'
import { expected } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { extentAt } from '../base/shape.ts'
import { quantizedMatmul, quantizeWeight } from '../operations/quantized.ts'
import type { Tensor, TensorLike } from '../tensor/tensor.ts'
import { Variable, variable } from '../tensor/variable.ts'
import { inputOf } from './inputs.ts'
import { Linear } from './linear.ts'
import { type AnyModule, Module, withMode } from './module.ts'
import { isWithin, partsOf } from './parts.ts'
import { titled } from './repr.ts'
import { aroundForward } from './summary.ts'

export interface QuantizeOptions {
  /** What weights become: `'int8'`, the only choice. */
  weights?: 'int8'
  /** Whether each output of a layer has a scale of its own, rather than all the same one; true unless given. */
  perChannel?: boolean
  /** Which linear layers, by the layer and its path; all unless given. */
  filter?: (layer: Linear, path: string) => boolean
}

const quantizeOptions: OptionTypes<QuantizeOptions> = { weights: 'string', perChannel: 'boolean', filter: 'function' }

/** A linear layer with weights of int8: what {@link quantize} has in the place of one. */
export class QuantizedLinear extends Module {
  /** uint8[⌈out/16⌉, ⌈in/4⌉, 16, 4]: see `quantizeWeight` */
  readonly weight: Variable
  /** [out] */
  readonly scales: Variable
  /** [out] */
  readonly bias: Variable | null

  /** @internal */
  constructor(layer: Linear, perChannel: boolean) {
    super()
    const [outFeatures, inFeatures] = [extentAt(layer.weight.shape, 0), extentAt(layer.weight.shape, 1)]
    titled(this, 'QuantizedLinear', { inFeatures, outFeatures, bias: layer.bias !== null, weights: 'int8' })
    const { weight, scales } = quantizeWeight(layer.weight, { perChannel })
    const state = (value: Tensor, name: string) => variable(value, { name, trainable: false })
    this.weight = state(weight, 'weight')
    this.scales = state(scales, 'scales')
    this.bias = layer.bias === null ? null : state(layer.bias, 'bias')
  }

  forward(x: TensorLike): Tensor {
    const product = quantizedMatmul(inputOf('linear', x), this.weight, this.scales)
    return this.bias === null ? product : product.add(this.bias)
  }
}

/** A model that computes in evaluation mode, with other layers in the place of some of its own: see {@link quantize}. */
export class Quantized<Input = Tensor, Output = Tensor> extends Module<Input, Output> {
  readonly #model: Module<Input, Output>
  readonly #layers: ReadonlyMap<object, QuantizedLinear>

  /** @internal */
  constructor(model: Module<Input, Output>, layers: ReadonlyMap<Linear, QuantizedLinear>) {
    super()
    this.#model = model
    this.#layers = layers
    titled(this, 'Quantized', { of: model.constructor.name })
    Object.assign(this, partsWith(model, layers))
  }

  forward(x: Input, ...others: never[]): Output {
    const layers = this.#layers
    const quantized = (layer: object, _: unknown, [input]: readonly unknown[]) =>
      layers.get(layer)!.forward(input as TensorLike)
    const run = () => this.#model.forward(x, ...others)
    return withMode(this.#model, [], false, () => aroundForward(layers.keys(), quantized, run))
  }

  /** None: it is for inference. */
  override namedParameters(): Record<string, Variable> {
    return {}
  }
}

/** What a model is made of by its paths, with the other layers in it; of what has such a layer in it, the parts. */
function partsWith(model: AnyModule, layers: ReadonlyMap<Linear, QuantizedLinear>): object {
  const { paths } = partsOf(model)
  const replaced = [...layers.keys()].map((layer) => paths.get(layer)!)
  const tree: Record<string, unknown> = {}
  const whole: string[] = []
  for (const [part, path] of paths) {
    if (!(part instanceof Module || part instanceof Variable)) continue
    if (part === model || replaced.some((other) => isWithin(other, path))) continue
    if (whole.some((other) => isWithin(path, other))) continue
    whole.push(path)
    place(tree, path.split('.'), layers.get(part as Linear) ?? part)
  }
  return tree
}

function place(tree: Record<string, unknown>, [key = '', ...rest]: readonly string[], part: object): void {
  if (rest.length === 0) {
    tree[key] = part
    return
  }
  tree[key] ??= {}
  place(tree[key] as Record<string, unknown>, rest, part)
}

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
