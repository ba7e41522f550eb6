/** Four layers of 1024 with weights of int8 beside the same in float32, taken in turn. */
import * as g from '../lib/index.ts'
import { inTurn, printTable } from './harness.ts'

const { nn } = g

const width = 1024
const batches = [1, 16, 64, 256]

const create = () =>
  nn.sequential(
    ...Array.from({ length: 3 }, () => [nn.linear(width, width), nn.relu()]).flat(),
    nn.linear(width, width),
  )

export async function benchQuantize(): Promise<void> {
  const model = create()
  const small = g.quantize(model, { weights: 'int8' })
  const float32 = g.compile((x: g.Tensor) => model.forward(x))
  const int8 = g.compile((x: g.Tensor) => small.forward(x))
  const threadsBefore = g.backendInfo().threads
  const rows = []
  for (const threads of [1, 2]) {
    g.setNumThreads(threads)
    for (const batch of batches) {
      const [x] = g.evaluateSync(g.randn([batch, width]))
      const [wide, narrow] = await inTurn(
        () => float32.sync(x!),
        () => int8.sync(x!),
      )
      rows.push({ threads, batch, 'µs, float32': 1000 * wide, 'µs, int8': 1000 * narrow, ratio: narrow / wide })
    }
  }
  g.setNumThreads(threadsBefore)
  printTable(`4 layers of ${width}`, rows)
}
