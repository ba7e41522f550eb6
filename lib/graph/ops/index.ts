/** Every operation of the graph, by name. */

import { alongAxisOps } from './along-axis.ts'
import { attentionOps } from './attention.ts'
import { convolutionOps } from './convolution.ts'
import { demandOps } from './demand.ts'
import { elementwiseOps } from './elementwise.ts'
import { gradientRuleOps } from './gradient-rules.ts'
import { indexingOps } from './indexing.ts'
import { leafOps } from './leaf.ts'
import { linalgOps } from './linalg.ts'
import { matmulOps } from './matmul.ts'
import { movementOps } from './movement.ts'
import { normalizationOps } from './normalization.ts'
import { optimizerOps } from './optimizer.ts'
import { poolingOps } from './pooling.ts'
import { castOp } from './promotion.ts'
import { quantizedOps } from './quantized.ts'
import { randomOps } from './random.ts'
import { reduceOps } from './reduce.ts'
import { scanOps } from './scan.ts'
import { softmaxOps } from './softmax.ts'
import { sortOps } from './sort.ts'
import { surrogateOps } from './surrogate.ts'

export const graphOps = {
  ...leafOps,
  ...elementwiseOps,
  cast: castOp,
  ...matmulOps,
  ...quantizedOps,
  ...movementOps,
  ...reduceOps,
  ...scanOps,
  ...sortOps,
  ...softmaxOps,
  ...indexingOps,
  ...alongAxisOps,
  ...demandOps,
  ...attentionOps,
  ...randomOps,
  ...optimizerOps,
  ...surrogateOps,
  ...gradientRuleOps,
  ...linalgOps,
  ...convolutionOps,
  ...poolingOps,
  ...normalizationOps,
}

export type OpName = keyof typeof graphOps
