/** Images mixed with others of their batch, and their labels too. */
import { checkInteger, checkNumber, describe } from '../../base/arguments.ts'
import { isFloat } from '../../base/dtype.ts'
import { DTypeError, expected, ShapeError } from '../../base/errors.ts'
import { checkOptions, type OptionTypes } from '../../base/options.ts'
import { formatShape } from '../../base/shape.ts'
import { Module } from '../../nn/module.ts'
import { titled } from '../../nn/repr.ts'
import { beta, permutation } from '../../tensor/distributions.ts'
import { Tensor } from '../../tensor/tensor.ts'

export interface MixupOptions {
  /** How much is mixed: shares are of the distribution Beta(alpha, alpha); 0.2 unless given. */
  alpha?: number
  /** The number of classes, where labels are integers: they become rows of probabilities. */
  classes?: number
}

const mixupOptions: OptionTypes<MixupOptions> = { alpha: 'number', classes: 'number' }

type Rows = readonly [x: Tensor, y: Tensor]

class Mixup extends Module<Rows, [x: Tensor, y: Tensor]> {
  readonly #alpha: number
  readonly #classes: number | undefined

  constructor(options: MixupOptions | undefined, surplus: readonly unknown[]) {
    super()
    const { alpha = 0.2, classes } = checkOptions('mixup', options, mixupOptions, surplus)
    this.#alpha = checkNumber('mixup', 'a finite alpha above 0', alpha, (x) => x > 0 && x < Infinity)
    this.#classes =
      classes === undefined
        ? undefined
        : checkInteger('mixup', 'a positive integer of classes', classes, 1, 2 ** 31 - 1)
    titled(this, 'Mixup', { alpha, classes })
  }

  forward(rows: Rows): [x: Tensor, y: Tensor] {
    if (!Array.isArray(rows) || rows.length !== 2 || !rows.every((part) => part instanceof Tensor))
      throw new TypeError(expected('mixup', '[x, y], two tensors', describe(rows)))
    const [x, y] = rows as Rows
    const targets = this.#classes === undefined ? y : y.oneHot(this.#classes)
    if (!isFloat(x.dtype) || !isFloat(targets.dtype))
      throw new DTypeError(
        expected('mixup', 'floats to mix (integer labels need the number of classes)', `${x} and ${y}`),
      )
    const n = x.shape[0]
    if (n === undefined || y.shape[0] !== n)
      throw new ShapeError(
        expected('mixup', 'x and y of as many rows', `${formatShape(x.shape)} and ${formatShape(y.shape)}`),
      )
    if (!this.training || n === 0) return [x, targets]
    const others = permutation(n)
    const share = beta([n], { alpha: this.#alpha, beta: this.#alpha })
    const mix = (part: Tensor): Tensor => {
      const own = part.stopGradient()
      const shares = share.reshape([n, ...own.shape.slice(1).map(() => 1)]).cast(own.dtype)
      const other = own.gather(others)
      return own.sub(other).mul(shares).add(other)
    }
    return [mix(x), mix(targets)]
  }
}

/**
 * Each row mixed with another one of its batch, λ·a + (1 − λ)·b, and the targets with the same λ, which each row draws from Beta(alpha, alpha) (Zhang et al. 2018,
 * "mixup: beyond empirical risk minimization"). In evaluation mode nothing is mixed, and labels become rows of probabilities all the same.
 *
 * @example
 * const mixed = mixup({ alpha: 0.2, classes: 10 })
 * fromTensors(images, labels).map((x, y) => mixed.forward([x, y]))
 * @pytorch torchvision.transforms.v2.MixUp
 * @tensorflow tf.keras.layers.MixUp
 */
export const mixup = (options?: MixupOptions, ...surplus: []): Module<Rows, [x: Tensor, y: Tensor]> =>
  new Mixup(options, surplus)
