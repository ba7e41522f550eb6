/** How each operation is written: a row for every one, or the reason why there is none. */

import { elementAt } from '../../base/lists.ts'
import { storageOf } from '../../graph/node.ts'
import type { leafOps } from '../../graph/ops/leaf.ts'
import type { linalgOps } from '../../graph/ops/linalg.ts'
import type { optimizerOps } from '../../graph/ops/optimizer.ts'
import { settledArray } from '../../runtime/execution.ts'
import { Arithmetic } from './arithmetic.ts'
import { controlRows } from './control.ts'
import { convolutionRows, poolingRows } from './convolution.ts'
import { elementwiseRows, step } from './elementwise.ts'
import { alongAxisRows, indexingRows } from './indexing.ts'
import { matmulRows } from './matmul.ts'
import { movementRows, splitRows } from './movement.ts'
import { momentRows, reduceRows, scanRows, sortRows } from './reduce.ts'
import type { ExportName, Rows, Unsupported, Write } from './row.ts'
import { attentionRows, softmaxRows } from './softmax.ts'

/** Of what is a view of its first input, which the exported graph has in its place. */
const view: Write = (_scope, _operation, x) => x

const bound: Unsupported = { unsupported: 'it is neither an argument nor a variable, and another value at each call' }

const leafRows: Rows<keyof typeof leafOps> = {
  data: ({ builder }, { nodes, dtype }) => {
    const node = elementAt(nodes, 0)
    return builder.constant(dtype, node.shape, settledArray(storageOf(node)))
  },
  placeholder: bound,
  literal: ({ builder }, { params: { value }, dtype }) => {
    if (typeof value === 'number') return builder.scalar(value, dtype)
    // A number that follows from the batch, as the divisor of a mean does.
    const size = builder.node('Squeeze', [builder.dims([value])])
    return builder.cast(size, dtype)
  },
  watch: view,
  stopGradient: view,
}

const noMatrices: Unsupported = { unsupported: 'ONNX has no decomposition of matrices' }

const linalgRows: Rows<keyof typeof linalgOps> = {
  determinant: ({ builder }, _, x) => builder.node('Det', [x]),
  determinantSign: ({ builder }, _, x) => builder.node('Sign', [builder.node('Det', [x])]),
  logDeterminant: ({ builder }, { dtype }, x) => {
    const m = new Arithmetic(builder, dtype)
    return m.log(m.abs(builder.node('Det', [x])))
  },
  pinv: view,
  leastSquares: view,
  cholesky: noMatrices,
  triangularSolve: noMatrices,
  solve: noMatrices,
  luP: noMatrices,
  luL: noMatrices,
  luU: noMatrices,
  matrixExp: noMatrices,
  qrQ: noMatrices,
  qrR: noMatrices,
  eighValues: noMatrices,
  eighVectors: noMatrices,
  svdU: noMatrices,
  svdS: noMatrices,
  svdVh: noMatrices,
}

const noRoundedRows: Unsupported = {
  unsupported: 'ONNX has no product that rounds its rows by themselves: export the model that was quantized',
}

const isTraining: Unsupported = { unsupported: 'an update of an optimizer belongs to training' }

const optimizerRows: Rows<keyof typeof optimizerOps> = {
  sgd: isTraining,
  momentum: isTraining,
  adam: isTraining,
  output: isTraining,
}

export const rows: Rows<ExportName> = {
  ...leafRows,
  ...elementwiseRows,
  cast: ({ builder }, { params: { to } }, x) => builder.cast(x, to),
  ...matmulRows,
  quantizedMatmul: noRoundedRows,
  ...movementRows,
  ...splitRows,
  ...reduceRows,
  ...momentRows,
  ...scanRows,
  ...sortRows,
  ...softmaxRows,
  ...indexingRows,
  ...alongAxisRows,
  demand: view,
  ...attentionRows,
  random: { unsupported: 'ONNX has no random numbers that follow from a key' },
  drawn: view,
  ...optimizerRows,
  surrogateStep: step,
  barrier: view,
  customGradient: view,
  checkpoint: view,
  ...linalgRows,
  ...convolutionRows,
  ...poolingRows,
  ...controlRows,
}
