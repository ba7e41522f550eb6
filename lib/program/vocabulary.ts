/** The words of instructions that are neither numbers nor micro-ops: named kinds, and how memory is read. */

/** How a matmul reads one operand: rows of `leadingDimension` elements, `transpose` when stored as its transpose. */
export interface MatrixLayout {
  readonly offset: number
  readonly batchStride: number
  readonly leadingDimension: number
  readonly transpose: boolean
}

/** How an elementwise group or a copy reads an operand: element offset, and a stride per axis (0 broadcasts). */
export interface LoadPattern {
  readonly offset: number
  readonly strides: readonly number[]
}

export const activations = ['none', 'relu', 'leakyRelu', 'sigmoid', 'tanh'] as const
export type ActivationName = (typeof activations)[number]

/** What the operands of a product are rounded to; its sums are float32 in either. */
export const precisions = ['float32', 'bf16'] as const
export type Precision = (typeof precisions)[number]

export const reductions = ['sum', 'max', 'min', 'prod'] as const
export type ReductionName = (typeof reductions)[number]

/** Of each distribution, how many parameters its instruction takes. */
export const distributionParameters = {
  uniform: 0,
  normal: 0,
  exponential: 0,
  gumbel: 0,
  integer: 2,
  truncatedNormal: 2,
  gamma: 1,
  beta: 2,
  poisson: 1,
} as const
export type DistributionName = keyof typeof distributionParameters
export const distributions = Object.keys(distributionParameters) as readonly DistributionName[]
