/** An imported model: a module whose parameters are the initializers of the file, under their names. */

import { type Abortable, type CallOptions, callOptions } from '../base/abort.ts'
import { checkOptions } from '../base/options.ts'
import { Module } from '../nn/module.ts'
import type { Tensor, TensorLike } from '../tensor/tensor.ts'
import type { Variable } from '../tensor/variable.ts'
import { type Compiled, compile } from '../transforms/compile.ts'
import type { Graph } from './import/graph.ts'
import { type Declared, infoOf, inputTensors, type ValueInfo } from './signature.ts'
import type { Doubles } from './types.ts'
import { HostArray, TensorValue } from './values.ts'

/** What a model is made of, as load makes it ready. */
export interface ModelParts {
  readonly graph: Graph
  readonly variables: ReadonlyMap<string, Variable>
  readonly inputs: readonly Declared[]
  readonly outputs: readonly Declared[]
  readonly doubles: Doubles
  readonly info: ModelInfo
}

/** What the file says of itself. */
export interface ModelInfo {
  readonly producer: string
  readonly irVersion: number
  /** The version of each domain of operators; that of the main one is under ''. */
  readonly opsets: Readonly<Record<string, number>>
  readonly metadata: Readonly<Record<string, string>>
}

/** Tensors by the names of a model's outputs, or the tensor of its only one. */
export type Outputs = Tensor & Record<string, Tensor>

/**
 * A model of an ONNX file. Its variables are the initializers of floats, under their names in the file; those that are no
 * parameters (running means of a normalization, or all of them with `trainable: false`) are buffers. What is computed from
 * shapes and constants alone is computed while it is recorded, so a compiled function of it holds the arithmetic on tensors only.
 */
export class OnnxModel extends Module<TensorLike | Readonly<Record<string, TensorLike>>, Outputs> {
  readonly #parts: ModelParts
  #compiled: Compiled<[Record<string, Tensor>], Outputs> | undefined
  /** The variables: under no name of their own, so that their paths are the names in the file. */
  readonly '': ReadonlyMap<string, Variable>

  /** @internal */
  constructor(parts: ModelParts) {
    super()
    this.#parts = parts
    this[''] = parts.variables
  }

  /** What it takes, by name. */
  get inputs(): ValueInfo[] {
    return this.#parts.inputs.map(infoOf)
  }

  /** What it gives, by name. */
  get outputs(): ValueInfo[] {
    return this.#parts.outputs.map(infoOf)
  }

  /** Who made the file, by which versions, and what it says besides. */
  get info(): ModelInfo {
    return this.#parts.info
  }

  /**
   * What the model gives: the tensor of its only output, or tensors by the names of the outputs. It is recorded like any other
   * computation: in `compile`, `grad` and `fit` it becomes part of what they record. Where a shape or a branch depends on
   * data (NonZero, If), what it depends on is evaluated here and now, which is an error inside `compile`.
   *
   * @param x tensors by the names of the inputs, or the tensor where there is one input. int64 and int8 are int32, double is
   * float32 unless the model was loaded with `doubles: 'float64'`
   * @throws TypeError for missing and unknown inputs, DTypeError and ShapeError for what the model does not take
   */
  forward(x: TensorLike | Readonly<Record<string, TensorLike>>): Outputs {
    const { graph, inputs, outputs, doubles } = this.#parts
    const given = inputTensors(inputs, x).map((tensor, i) => new TensorValue(tensor, inputs[i]!.type))
    const results = graph
      .run(given, null)
      .map((value) => (value instanceof HostArray ? value.tensor(doubles) : value.tensor))
    if (outputs.length === 1) return results[0] as Outputs
    return Object.fromEntries(outputs.map(({ name }, i) => [name, results[i]!])) as Outputs
  }

  /**
   * `forward`, computed off the event loop by the program that was recorded for inputs of these shapes. Each new set of shapes
   * is recorded once.
   *
   * @throws (rejects with) what forward throws, or the reason of the signal
   *
   * @example
   * const logits = await model.run(image)
   */
  async run(x: TensorLike | Readonly<Record<string, TensorLike>>, options?: CallOptions): Promise<Outputs> {
    const { signal } = checkOptions<{ signal?: Abortable }>('run', options, callOptions)
    const { inputs } = this.#parts
    const given = Object.fromEntries(inputTensors(inputs, x).map((tensor, i) => [inputs[i]!.name, tensor]))
    this.#compiled ??= compile((byName: Record<string, Tensor>) => this.forward(byName))
    return signal === undefined ? this.#compiled(given) : this.#compiled(given, { signal })
  }

  override extraRepr(): string {
    const list = (infos: readonly ValueInfo[]) =>
      infos
        .map(({ name, dtype, shape }) => `${name}: ${dtype}${shape === null ? '' : `[${shape.join(', ')}]`}`)
        .join(', ')
    return `${list(this.#parts.inputs)} → ${list(this.#parts.outputs)}`
  }
}
