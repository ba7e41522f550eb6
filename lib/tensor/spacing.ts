/** Numbers at even ratios: their logarithms are evenly spaced. */
import { checkNumber } from '../base/arguments.ts'
import { expected } from '../base/errors.ts'
import { checkOptions, type DTypeOption, dtypeOption, type OptionTypes } from '../base/options.ts'
import { evenlySpaced, generate } from './creation.ts'
import type { Tensor } from './tensor.ts'

export interface LogspaceOptions extends DTypeOption {
  /** 10 unless given. */
  base?: number
}

const logspaceOptions: OptionTypes<LogspaceOptions> = { ...dtypeOption, base: 'number' }

/** Integer powers of ten are the numbers nearest to them, which a product of roundings need not be. */
const powerOf = (base: number, exponent: number): number =>
  base === 10 && Number.isInteger(exponent) ? Number(`1e${exponent}`) : base ** exponent

/**
 * `count` powers of a base, 50 of ten unless given, whose exponents are evenly spaced from start to stop, both included: from
 * base^start to base^stop.
 *
 * @example
 * logspace(0, 3, 4)                // [1, 10, 100, 1000]
 * logspace(0, 3, 4, { base: 2 })   // [1, 2, 4, 8]
 *
 * @throws RangeError for bounds that are not finite, a count that is no natural number, or a base that is no positive number
 * @pytorch torch.logspace
 * @tensorflow tf.experimental.numpy.logspace
 * @numpy np.logspace
 */
export function logspace(start: number, stop: number, count = 50, options?: LogspaceOptions): Tensor {
  const { base = 10, dtype = 'float32' } = checkOptions('logspace', options, logspaceOptions)
  if (!(base > 0 && Number.isFinite(base))) throw new RangeError(expected('logspace', 'a positive base', base))
  const exponent = evenlySpaced('logspace', start, stop, count)
  return generate('logspace', dtype, [count], (i) => powerOf(base, exponent(i)))
}

/**
 * `count` numbers at even ratios from start to stop, 50 unless given, both included and exact; of one sign, and none of them 0.
 *
 * @example
 * geomspace(1, 1000, 4)   // [1, 10, 100, 1000]
 *
 * @throws RangeError for bounds that are not finite, 0 or of different signs, or a count that is no natural number
 * @pytorch none
 * @tensorflow tf.experimental.numpy.geomspace
 * @numpy np.geomspace
 */
export function geomspace(start: number, stop: number, count = 50, options?: DTypeOption): Tensor {
  const { dtype = 'float32' } = checkOptions('geomspace', options, dtypeOption)
  for (const bound of [start, stop]) checkNumber('geomspace', 'numbers as bounds', bound, () => true)
  const sign = Math.sign(start)
  if (sign === 0 || sign !== Math.sign(stop))
    throw new RangeError(expected('geomspace', 'bounds of one sign other than 0', `${start} and ${stop}`))
  const exponent = evenlySpaced('geomspace', Math.log10(sign * start), Math.log10(sign * stop), count)
  const element = (i: number) => (i === 0 ? start : i === count - 1 ? stop : sign * powerOf(10, exponent(i)))
  return generate('geomspace', dtype, [count], element)
}
