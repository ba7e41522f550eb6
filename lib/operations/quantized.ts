/** Weights as int8, and products with them. */
import { refuseSurplus } from '../base/arguments.ts'
import { DTypeError, expected, ShapeError } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { formatShape } from '../base/shape.ts'
import * as ops from '../graph/ops/quantized.ts'
import { panelInputs, panelOutputs, panelShape } from '../program/patterns.ts'
import { type Tensor, type TensorLike, toNode, toTensor, wrap } from '../tensor/tensor.ts'
import { abs, clamp, div, maximum } from './arithmetic.ts'
import { round } from './math.ts'
import { pad } from './padding.ts'
import { transpose } from './rearrange.ts'
import { max } from './reduce.ts'
import { broadcastTo, cast, reshape } from './shape.ts'

export interface QuantizeWeightOptions {
  /** Whether each output has a scale of its own, rather than all the same one; true unless given. */
  perChannel?: boolean
}

const quantizeWeightOptions: OptionTypes<QuantizeWeightOptions> = { perChannel: 'boolean' }

/** A weight as `quantizedMatmul` takes it. */
export interface QuantizedWeight {
  /** uint8[⌈out/16⌉, ⌈in/4⌉, 16, 4] */
  readonly weight: Tensor
  /** float32[out] */
  readonly scales: Tensor
}

/** Byte b of a weight stands for b − 128. */
const zeroPoint = 128

/**
 * A float32 weight[out, in] as integers from −127 to 127 and a scale for each output, the greatest magnitude among its weights
 * divided by 127: `w ≈ scales · integers`. The bytes are the integers plus 128, in the order in which `quantizedMatmul` reads them:
 * that of output 16·p + o and input 4·s + i is at [p, s, o, i], with 128 where there is no such output or input.
 * @throws ShapeError, DTypeError for what is no float32[out, in]
 * @example const { weight, scales } = quantizeWeight(layer.weight)
 * @pytorch torch.quantize_per_channel
 * @tensorflow none
 */
export function quantizeWeight(x: TensorLike, options?: QuantizeWeightOptions, ...surplus: []): QuantizedWeight {
  const { perChannel = true } = checkOptions('quantizeWeight', options, quantizeWeightOptions, surplus)
  const w = toTensor('quantizeWeight', x)
  if (w.dtype !== 'float32') throw new DTypeError(expected('quantizeWeight', 'a weight of float32', w.dtype))
  if (w.ndim !== 2 || w.size === 0)
    throw new ShapeError(expected('quantizeWeight', 'a weight [out, in]', formatShape(w.shape)))
  const [n, k] = w.shape as [number, number]
  const greatest = max(abs(w), perChannel ? 1 : undefined, { keepDims: true })
  // At least the smallest normal number, so that no quotient is more than 127, and that of zeros is 0.
  const scales = maximum(div(greatest, 127), 2 ** -126)
  const integers = clamp(round(div(w, scales)), -127, 127)
  return { weight: panelsOf(integers.add(zeroPoint), n, k), scales: reshape(broadcastTo(scales, [n, 1]), [n]) }
}

function panelsOf(bytes: Tensor, n: number, k: number): Tensor {
  const [panels, steps] = panelShape(n, k) as [number, number]
  const widths = [
    [0, panels * panelOutputs - n],
    [0, steps * panelInputs - k],
  ] as const
  const whole = reshape(pad(bytes, widths, { value: zeroPoint }), [panels, panelOutputs, steps, panelInputs])
  return cast(transpose(whole, [0, 2, 1, 3]), 'uint8')
}

/**
 * x[…, in] by a weight that `quantizeWeight` made: […, out]. Each row of x is rounded to integers from −127 to 127 too, by
 * its greatest magnitude, so that a row's result depends on nothing else; sums of products are exact. A row with an element that is
 * not finite gives NaN. The same bits on every machine. It has no gradient.
 * @throws DTypeError for x that is no float32; ShapeError where the weight is one of other extents, or a row has more than 2¹⁷ elements
 * @example quantizedMatmul(x, weight, scales).add(bias)
 * @pytorch torch.ao.nn.quantized.dynamic.Linear
 * @tensorflow none
 */
export function quantizedMatmul(x: TensorLike, weight: TensorLike, scales: TensorLike, ...surplus: []): Tensor {
  refuseSurplus('quantizedMatmul', 3, surplus)
  const [a, b, c] = [x, weight, scales].map((operand) => toNode('quantizedMatmul', operand))
  return wrap(ops.quantizedMatmul(a!, b!, c!))
}
