/** By how much weights have to be larger, as an activation makes signals smaller. */
import { checkChoice, checkFinite } from '../../base/arguments.ts'

const gains = {
  linear: () => 1,
  conv1d: () => 1,
  conv2d: () => 1,
  conv3d: () => 1,
  convTranspose1d: () => 1,
  convTranspose2d: () => 1,
  convTranspose3d: () => 1,
  sigmoid: () => 1,
  tanh: () => 5 / 3,
  relu: () => Math.SQRT2,
  leakyRelu: (slope: number) => Math.sqrt(2 / (1 + slope ** 2)),
  selu: () => 3 / 4,
}

/** What an initializer may be told to come before: a layer, or an activation. */
export type Nonlinearity = keyof typeof gains

export const nonlinearities = Object.keys(gains) as Nonlinearity[]

/**
 * The gain that keeps the size of signals through an activation: 1 of layers and sigmoid, 5/3 of tanh, √2 of relu,
 * √(2 / (1 + slope²)) of leakyRelu, ¾ of selu. K. He et al., "Delving deep into rectifiers" (2015); those of tanh and selu are
 * PyTorch's, whose `calculate_gain` this is.
 *
 * @param slope of leakyRelu; 0.01 unless given
 * @throws RangeError for an unknown name
 */
export function calculateGain(nonlinearity: Nonlinearity, slope = 0.01): number {
  return gainOf('calculateGain', nonlinearity, slope)
}

export function gainOf(op: string, nonlinearity: Nonlinearity, slope: number): number {
  return gains[checkChoice(op, 'nonlinearity', nonlinearity, nonlinearities)](checkFinite(op, 'slope', slope))
}
