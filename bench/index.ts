/** npm run bench [-- overhead first-call kernels train around precision updates growth results neighbour loop startup onnx quantize board watching serve [--only PART…]] */
import * as g from '../lib/index.ts'
import { benchBoard } from './board.ts'
import { benchFirstCall } from './first-call.ts'
import { benchGrowth } from './growth.ts'
import { benchKernels } from './kernels.ts'
import { benchLoop } from './loop.ts'
import { measureMachine } from './machine.ts'
import { benchNeighbour } from './neighbour.ts'
import { benchOnnx } from './onnx.ts'
import { benchOverhead } from './overhead.ts'
import { benchPrecision } from './precision.ts'
import { benchQuantize } from './quantize.ts'
import { benchResults } from './results.ts'
import { benchServe } from './serve/index.ts'
import { benchStartup } from './startup.ts'
import { benchAround, benchTrain } from './train.ts'
import { benchUpdates } from './updates.ts'
import { benchWatching } from './watching.ts'

const benches: Record<string, () => Promise<void>> = {
  overhead: benchOverhead,
  'first-call': benchFirstCall,
  kernels: () => benchKernels(measureMachine()),
  train: benchTrain,
  around: benchAround,
  precision: benchPrecision,
  updates: benchUpdates,
  growth: benchGrowth,
  results: benchResults,
  loop: benchLoop,
  neighbour: benchNeighbour,
  startup: benchStartup,
  onnx: benchOnnx,
  quantize: benchQuantize,
  board: benchBoard,
  watching: benchWatching,
  serve: () => benchServe(parts),
}

const flag = process.argv.indexOf('--only')
const [asked, parts] =
  flag === -1 ? [process.argv.slice(2), []] : [process.argv.slice(2, flag), process.argv.slice(flag + 1)]
const unknown = asked.find((name) => !(name in benches))
if (unknown !== undefined) {
  console.error(`bench: expected ${Object.keys(benches).join(', ')}, got ${unknown}`)
  process.exit(1)
}
const { backend, isa, threads } = g.backendInfo()
console.log(`galvani ${backend} ${isa}, ${threads} threads, Node ${process.version}`)
for (const name of asked.length > 0 ? asked : Object.keys(benches)) await benches[name]!()
