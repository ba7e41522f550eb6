/**
 * How weights start. Each initializer makes a tensor of the given shape: [out, in] of a dense layer, [out, in / groups,
 * …window] of a convolution, as in PyTorch, whose `torch.nn.init` has the same names with an underscore. They draw from the global stream of
 * random numbers unless they are given a seed.
 */
export type { Initializer, InitializerOptions } from './common.ts'
export {
  constant,
  type NormalInitOptions,
  normal,
  ones,
  type TruncNormalInitOptions,
  truncNormal,
  type UniformInitOptions,
  uniform,
  zeros,
} from './fills.ts'
export { calculateGain, type Nonlinearity } from './gains.ts'
export {
  type DiracOptions,
  dirac,
  eye,
  type OrthogonalOptions,
  orthogonal,
  type SparseOptions,
  sparse,
} from './structures.ts'
export {
  fanInUniform,
  glorotNormal,
  glorotUniform,
  heNormal,
  heUniform,
  type KaimingOptions,
  kaimingNormal,
  kaimingUniform,
  type XavierOptions,
  xavierNormal,
  xavierUniform,
} from './variance.ts'
