/** onnxruntime-node, which infers and does not train. */
import ort from 'onnxruntime-node'
import { onnxModel } from './onnx-model.ts'
import { medianMicroseconds, mlp, numbers, report } from './rows.ts'

const session = await ort.InferenceSession.create(onnxModel(), { intraOpNumThreads: 2 })
await report('onnxruntime-node', async (row, seconds) => {
  if (row.kind !== 'inference') return undefined
  const x = new ort.Tensor('float32', numbers(row.batch * mlp[0]), [row.batch, mlp[0]])
  return medianMicroseconds(() => session.run({ x }), seconds)
})
