/** onnxruntime, where the toolbox tools/testing/onnx has it: it runs what was exported. */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import type * as g from '../../lib/index.ts'

const toolbox = fileURLToPath(new URL('../../tools/testing/onnx/', import.meta.url))

/** Whether it is installed. */
export const hasRuntime = existsSync(`${toolbox}node_modules/onnxruntime-node`)

/** What brings it: for the tests that are left out without it. */
export const install = 'npm ci --ignore-scripts --prefix tools/testing/onnx'

export interface RuntimeTensor {
  readonly type: string
  readonly dims: readonly number[]
  readonly data: ArrayLike<number>
}

interface Session {
  readonly inputNames: readonly string[]
  readonly outputNames: readonly string[]
  run(feeds: Record<string, RuntimeTensor>): Promise<Record<string, RuntimeTensor>>
  release(): Promise<void>
}

interface Runtime {
  readonly InferenceSession: { create(model: Uint8Array | string, options: object): Promise<Session> }
  readonly Tensor: new (type: string, data: ArrayLike<number>, dims: readonly number[]) => RuntimeTensor
}

const load = (): Runtime => createRequire(`${toolbox}package.json`)('onnxruntime-node')

/** Quiet, as what it refuses is an error. */
const options = { logSeverityLevel: 4, intraOpNumThreads: 1 }

export interface Ran {
  readonly inputNames: readonly string[]
  readonly outputs: ReadonlyMap<string, RuntimeTensor>
}

/** Runs a model, its bytes or file, on tensors in the order of its inputs. */
export async function runOnnx(model: Uint8Array | string, inputs: readonly g.Tensor[]): Promise<Ran> {
  const { InferenceSession, Tensor } = load()
  const session = await InferenceSession.create(model, options)
  try {
    const { inputNames, outputNames } = session
    const feeds = inputs.map((x, i) => [inputNames[i]!, new Tensor(x.dtype, x.dataSync(), x.shape)] as const)
    const found = await session.run(Object.fromEntries(feeds))
    return { inputNames, outputs: new Map(outputNames.map((name) => [name, found[name]!])) }
  } finally {
    await session.release()
  }
}

/**
 * What differs between what a runtime gave and a tensor: null where they agree within 10⁻⁴ of each number, and 10⁻⁶ of the greatest,
 * as sums of many terms are rounded in another order; that of the sums counts where `least` says it, though they may be hidden.
 */
export function difference(actual: RuntimeTensor, expected: g.Tensor, least = 0): string | null {
  if (actual.dims.join() !== expected.shape.join()) return `shape [${actual.dims}], not [${expected.shape}]`
  if (actual.type !== expected.dtype) return `${actual.type}, not ${expected.dtype}`
  const values = expected.dataSync()
  let greatest = least
  for (const x of values) if (Number.isFinite(x)) greatest = Math.max(greatest, Math.abs(x))
  const place = values.findIndex((x, i) => {
    const y = Number(actual.data[i])
    const isSame = x === y || (Number.isNaN(x) && Number.isNaN(y))
    return !isSame && !(Math.abs(x - y) <= 1e-5 + 1e-4 * Math.abs(x) + 1e-6 * greatest)
  })
  return place < 0 ? null : `element ${place} is ${actual.data[place]}, not ${values[place]}`
}
