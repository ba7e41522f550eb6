/** onnxruntime-node, where its folder of tools has been installed. */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { packageRoot } from '../lib/base/package-root.ts'

/** The part of it that is used here. */
export interface Runtime {
  InferenceSession: { create(path: string, options: object): Promise<Session> }
  Tensor: new (type: 'float32', data: Float32Array, shape: readonly number[]) => object
}

export interface Session {
  readonly outputNames: readonly string[]
  run(feeds: object): Promise<Record<string, { readonly data: Float32Array; readonly dims: readonly number[] }>>
}

const toolbox = 'tools/testing/onnx'

/** What to do where it is not there. */
export const runtimeAdvice = `no onnxruntime-node: npm ci --ignore-scripts --prefix ${toolbox}`

export function findRuntime(): Runtime | null {
  try {
    return createRequire(join(packageRoot()!, toolbox, 'package.json'))('onnxruntime-node')
  } catch {
    return null
  }
}
