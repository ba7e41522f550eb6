/**
 * Names that users of PyTorch, numpy and TensorFlow type: each is the operation itself under another name, as a function
 * and, where its first operand is a tensor, as a method. This is the only list of them; their types, the methods and a
 * column of docs/operations.md follow from it.
 */
export { arange as range, full as fill, tensor as array, tensor as asarray } from '../tensor/creation.ts'
export { permutation as randperm } from '../tensor/distributions.ts'
export { setSeed as manualSeed, uniform as rand } from '../tensor/random.ts'
export {
  abs as absolute,
  clamp as clip,
  clamp as clipByValue,
  div as divide,
  div as trueDivide,
  floorDiv as floorDivide,
  mod as remainder,
  mul as multiply,
  neg as negative,
  sub as subtract,
} from './arithmetic.ts'
export {
  equal as eq,
  greater as gt,
  greaterEqual as ge,
  isFinite as isfinite,
  isInf as isinf,
  isNaN as isnan,
  less as lt,
  lessEqual as le,
  notEqual as ne,
} from './comparison.ts'
export { stopGradient as detach } from './gradient.ts'
export { concat as cat, concat as concatenate } from './joining.ts'
export {
  acos as arccos,
  acosh as arccosh,
  asin as arcsin,
  asinh as arcsinh,
  atan as arctan,
  atan2 as arctan2,
  atanh as arctanh,
  pow as power,
  round as rint,
} from './math.ts'
export { matmul as bmm, matmul as matMul, matmul as mm } from './products.ts'
export {
  flip as reverse,
  moveAxis as moveaxis,
  moveAxis as movedim,
  swapAxes as swapaxes,
  swapAxes as swapdims,
  transpose as t,
} from './rearrange.ts'
export {
  argmax as argMax,
  argmin as argMin,
  logSumExp as logsumexp,
  max as amax,
  min as amin,
  variance as var,
} from './reduce.ts'
export { cast as astype, reshape as view } from './shape.ts'
