/** Imported models beside onnxruntime-node: the same file, the same input, one thread and two, taken in turn. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as g from '../lib/index.ts'
import * as onnx from '../lib/onnx/index.ts'
import { inTurn, printTable } from './harness.ts'
import { comparedNets, type NetName, nets } from './nets.ts'
import { findRuntime, type Runtime, runtimeAdvice } from './onnx-runtime.ts'

const batches = [1, 16, 64, 256]
type Row = Record<string, string | number>

async function rowsOf(net: NetName, threads: number, path: string, runtime: Runtime): Promise<Row[]> {
  const { shape } = nets[net]
  const session = await runtime.InferenceSession.create(path, { intraOpNumThreads: threads, interOpNumThreads: 1 })
  const model = await onnx.load(path)
  const forward = g.compile((x: g.Tensor) => model.forward(x) as g.Tensor)
  const rows: Row[] = []
  for (const batch of batches) {
    const x = g.randn([batch, ...shape])
    const fed = { input: new runtime.Tensor('float32', Float32Array.from(await x.data()), x.shape) }
    const [ours, theirs] = await inTurn(
      () => forward.sync(x),
      () => session.run(fed),
    )
    rows.push({ net, threads, batch, µs: ours * 1000, 'µs, onnxruntime': theirs * 1000, ratio: ours / theirs })
  }
  return rows
}

export async function benchOnnx(): Promise<void> {
  const runtime = findRuntime()
  if (runtime === null) return console.log(`\n${runtimeAdvice}`)
  const threadsBefore = g.backendInfo().threads
  const folder = mkdtempSync(join(tmpdir(), 'galvani-bench-'))
  const rows: Row[] = []
  for (const net of comparedNets) {
    const path = join(folder, `${net}.onnx`)
    await onnx.export(nets[net].create(), g.randn([2, ...nets[net].shape]), path)
    for (const threads of [1, 2]) {
      g.setNumThreads(threads)
      rows.push(...(await rowsOf(net, threads, path, runtime)))
    }
  }
  g.setNumThreads(threadsBefore)
  rmSync(folder, { recursive: true })
  printTable('Imported models beside onnxruntime-node', rows)
  const mean = Math.exp(rows.reduce((sum, { ratio }) => sum + Math.log(ratio as number), 0) / rows.length)
  console.log(`geometric mean of the ratios: ${mean.toFixed(2)}`)
}
