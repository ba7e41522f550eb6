/** Reading and writing by index. */
import type { alongAxisOps } from '../../graph/ops/along-axis.ts'
import type { indexingOps } from '../../graph/ops/indexing.ts'
import { int, text } from './builder.ts'
import type { Rows } from './row.ts'

export const indexingRows: Rows<keyof typeof indexingOps> = {
  gather: ({ builder }, _, x, indices) => builder.node('Gather', [x, indices], { axis: int(0) }),
  scatterAdd({ builder }, _, x, indices, updates) {
    builder.requires(16, 'scatterAdd')
    const places = builder.node('Unsqueeze', [builder.cast(indices, 'int64'), builder.ints([-1])])
    return builder.node('ScatterND', [x, places, updates], { reduction: text('add') })
  },
}

export const alongAxisRows: Rows<keyof typeof alongAxisOps> = {
  takeAlongAxis: ({ builder, graph }, { params: { axis } }, x, indices) =>
    builder.node('GatherElements', [x, indices], { axis: int(graph.fixed('takeAlongAxis', 'the axis', axis)) }),
  scatterAlongAxis({ builder, graph }, { params: { axis, accumulate } }, x, indices, updates) {
    const along = { axis: int(graph.fixed('scatterAlongAxis', 'the axis', axis)) }
    if (!accumulate) return builder.node('ScatterElements', [x, indices, updates], along)
    builder.requires(16, 'scatterAddAlongAxis')
    return builder.node('ScatterElements', [x, indices, updates], { ...along, reduction: text('add') })
  },
}
