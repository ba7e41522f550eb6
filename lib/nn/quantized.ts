/** Modules that compute with weights of int8: what `quantize` makes. */
import { extentAt } from '../base/shape.ts'
import { quantizedMatmul, quantizeWeight } from '../operations/quantized.ts'
import type { Tensor, TensorLike } from '../tensor/tensor.ts'
import { Variable, variable } from '../tensor/variable.ts'
import { inputOf } from './inputs.ts'
import type { Linear } from './linear.ts'
import { type AnyModule, Module, withMode } from './module.ts'
import { isWithin, partsOf } from './parts.ts'
import { titled } from './repr.ts'
import { aroundForward } from './summary.ts'

/** A linear layer with weights of int8: what `quantize` has in the place of one. */
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

/** A model that computes in evaluation mode, with other layers in the place of some of its own: see `quantize`. */
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
