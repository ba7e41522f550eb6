/**
 * The spine of the tests of operations: at least one row for each. Parity of the backends, gradient checks and the
 * programs that run under sanitizers all come from these rows; an operation without one does not compile.
 */

import type { OpName } from '../../lib/graph/ops/index.ts'
import type * as losses from '../../lib/losses/index.ts'
import type * as aliases from '../../lib/operations/aliases.ts'
import type * as fft from '../../lib/operations/fft.ts'
import type * as operations from '../../lib/operations/index.ts'
import type { OpCase } from '../support/cases.ts'
import { activationCases } from './cases/activations.ts'
import { alongAxisCases } from './cases/along-axis.ts'
import { attentionCases } from './cases/attention.ts'
import { bagCases } from './cases/bags.ts'
import { convolutionCases } from './cases/convolution.ts'
import { distanceCases } from './cases/distances.ts'
import { elementwiseCases } from './cases/elementwise.ts'
import { fftCases } from './cases/fft.ts'
import { gradientRuleCases } from './cases/gradient-rules.ts'
import { indexUpdateCases } from './cases/index-updates.ts'
import { indexingCases } from './cases/indexing.ts'
import { leafCases } from './cases/leaf.ts'
import { linalgCases } from './cases/linalg.ts'
import { logicCases } from './cases/logic.ts'
import { lossCases } from './cases/loss.ts'
import { mathCases } from './cases/math.ts'
import { matmulCases } from './cases/matmul.ts'
import { movementCases } from './cases/movement.ts'
import { normalizationCases } from './cases/normalization.ts'
import { optimizerCases } from './cases/optimizer.ts'
import { poolingCases } from './cases/pooling.ts'
import { productCases } from './cases/products.ts'
import { quantizedCases } from './cases/quantized.ts'
import { padRows, rearrangingCases } from './cases/rearranging.ts'
import { reduceCases } from './cases/reduce.ts'
import { reductionCases } from './cases/reductions.ts'
import { scanCases } from './cases/scan.ts'
import { searchCases } from './cases/search.ts'
import { shapeCases } from './cases/shape.ts'
import { softmaxCases } from './cases/softmax.ts'
import { sortCases } from './cases/sort.ts'
import { suppressionCases } from './cases/suppression.ts'
import { unfoldingCases } from './cases/unfolding.ts'
import { volumeCases } from './cases/volumes.ts'

/** Leaves that programs bind as inputs: the operands of every row. */
type BoundLeaf = 'data' | 'placeholder'

/** Their sizes are in the data, so they evaluate it; a row has the form that does so at once, where it gives one tensor. */
type DataDependent = 'booleanMask' | 'nonMaxSuppression' | 'nonzero' | 'unique' | 'uniqueSync'

/** Every operation of the graph, and every function of the package and every loss, some of which are several operations. */
export type CaseName =
  | Exclude<OpName, BoundLeaf>
  | Exclude<keyof typeof operations, DataDependent | keyof typeof aliases>
  | keyof typeof fft
  | `losses.${keyof typeof losses}`

const rows = {
  ...leafCases,
  ...elementwiseCases,
  ...activationCases,
  ...mathCases,
  ...logicCases,
  ...matmulCases,
  ...movementCases,
  ...shapeCases,
  ...rearrangingCases,
  ...productCases,
  ...quantizedCases,
  pad: [...movementCases.pad, ...padRows],
  ...reduceCases,
  ...reductionCases,
  ...scanCases,
  ...searchCases,
  ...sortCases,
  ...softmaxCases,
  ...indexingCases,
  ...indexUpdateCases,
  ...alongAxisCases,
  ...optimizerCases,
  ...attentionCases,
  ...normalizationCases,
  ...lossCases,
  ...gradientRuleCases,
  ...distanceCases,
  ...linalgCases,
  ...fftCases,
  ...convolutionCases,
  ...poolingCases,
  ...volumeCases,
  ...suppressionCases,
  ...unfoldingCases,
  ...bagCases,
}

/** Refuses a table with a list that is written as empty. */
type NoneEmpty<Table> = {
  readonly [K in keyof Table]: Table[K] extends readonly never[] ? 'at least one row' : Table[K]
}

export const cases: { readonly [K in CaseName]: readonly OpCase[] } = rows satisfies NoneEmpty<typeof rows>
