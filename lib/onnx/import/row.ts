/** What the import knows of an operator: rows, each with the versions that it is right for and the body that records it. */
import type { Tensor } from '../../tensor/tensor.ts'
import type { Value } from '../values.ts'
import type { Call } from './call.ts'

/** What a body gives for an output: a tensor, whose type is that of an input held alike unless it is wrapped with another. */
export type Result = Tensor | Value

/** Records what a node does, from the values of its inputs to those of its outputs. */
export type Body = (call: Call) => Result | readonly (Result | undefined)[]

export interface RowOptions {
  /** The places of inputs that say how and not what: they are read on the host, and an initializer is no variable there. */
  readonly host?: readonly number[]
  /** The places of inputs that are state and no parameters, such as running means: their variables are not trainable. */
  readonly buffers?: readonly number[]
  /** Whether inputs on the host alone give outputs on the host: then it is done at load. */
  readonly folds?: boolean
}

export interface Row extends RowOptions {
  /** The since-versions (lib/onnx/versions.ts) for which the body is right. */
  readonly since: readonly number[]
  readonly body: Body
}

/** Rows by operator. Those of one operator are for different versions. */
export type Family = Readonly<Record<string, Row | readonly Row[]>>

export const row = (since: readonly number[], body: Body, options: RowOptions = {}): Row => ({
  since,
  body,
  ...options,
})
