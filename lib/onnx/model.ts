/** An imported model: a module whose parameters are the initializers of the file, under their names. */

import { type CallOptions, callOptions, liveSignal } from '../base/abort.ts'
import { isFloat } from '../base/dtype.ts'
import { checkOptions } from '../base/options.ts'
import { Module } from '../nn/module.ts'
import { evaluate, Tensor, type TensorLike } from '../tensor/tensor.ts'
import type { Variable } from '../tensor/variable.ts'
import { type Compiled, compile } from '../transforms/compile.ts'
import { DependsOnDataError } from './errors.ts'
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

/** Inputs that are numbers on the host, by name. */
type Known = ReadonlyMap<string, HostArray>

const none: Known = new Map()
/** Programs for different integers that a model keeps; others share one that takes them as tensors. */
const mostPrograms = 16

/** Tensors by the names of a model's outputs, or the tensor of its only one. */
export type Outputs = Tensor & Record<string, Tensor>

/**
 * A model of an ONNX file. Its variables are the initializers of floats, under their names in the file; those that are no
 * parameters (running means of a normalization, or all of them with `trainable: false`) are buffers. What is computed from
 * shapes and constants alone is computed while it is recorded, so a compiled function of it holds the arithmetic on tensors only.
 */
export class OnnxModel extends Module<TensorLike | Readonly<Record<string, TensorLike>>, Outputs> {
  readonly #parts: ModelParts
  /** By the integers among the inputs that they are for. */
  readonly #programs = new Map<string, Compiled<[Tensor[]], Outputs>>()
  #dependsOnData = false
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
    return this.#results(inputTensors(this.#parts.inputs, x), none)
  }

  /** What the graph gives for these tensors, of which some inputs are known to be numbers. */
  #results(given: readonly Tensor[], known: Known): Outputs {
    const { graph, inputs, outputs, doubles } = this.#parts
    const values = inputs.map(({ name, type }, i) => known.get(name) ?? new TensorValue(given[i]!, type))
    const results = graph
      .run(values, null)
      .map((value) => (value instanceof HostArray ? value.tensor(doubles) : value.tensor))
    if (outputs.length === 1) return results[0] as Outputs
    return Object.fromEntries(outputs.map(({ name }, i) => [name, results[i]!])) as Outputs
  }

  /**
   * `forward`, computed off the event loop by the program that was recorded for inputs of these shapes. Each new set of shapes
   * is recorded once. So are the first values of inputs that are one integer, such as a sampling rate, which often choose
   * between parts of a model. A model in which data decide on shapes has no program: it is evaluated up to there in each call.
   *
   * @throws (rejects with) what forward throws, or the reason of the signal
   *
   * @example
   * const logits = await model.run(image)
   */
  async run(x: TensorLike | Readonly<Record<string, TensorLike>>, options?: CallOptions): Promise<Outputs> {
    const signal = liveSignal('run', checkOptions<CallOptions>('run', options, callOptions))
    const given = inputTensors(this.#parts.inputs, x)
    if (!this.#dependsOnData) {
      try {
        return await this.#programFor(await this.#integersIn(given))([...given], { signal })
      } catch (error) {
        if (!(error instanceof DependsOnDataError)) throw error
        this.#dependsOnData = true
      }
    }
    const results = this.#results(given, none)
    signal?.throwIfAborted()
    await evaluate(...(results instanceof Tensor ? [results] : Object.values<Tensor>(results)))
    return results
  }

  /** Of the inputs that are one integer, what they are. */
  async #integersIn(given: readonly Tensor[]): Promise<Known> {
    const known = new Map<string, HostArray>()
    for (const [i, { name, type }] of this.#parts.inputs.entries()) {
      const { shape, size, dtype } = given[i]!
      if (shape.length > 1 || size !== 1 || isFloat(dtype)) continue
      known.set(name, HostArray.of(type, shape, await given[i]!.data()))
    }
    return known
  }

  #programFor(known: Known): Compiled<[Tensor[]], Outputs> {
    const key = [...known].map(([name, { shape, data }]) => `${name}[${shape}] = ${data[0]}`).join()
    const program =
      this.#programs.get(key) ?? (this.#programs.size < mostPrograms ? undefined : this.#programs.get('any'))
    if (program !== undefined) return program
    const isAny = this.#programs.size >= mostPrograms
    const made = compile((given: Tensor[]) => this.#results(given, isAny ? none : known))
    this.#programs.set(isAny ? 'any' : key, made)
    return made
  }

  override extraRepr(): string {
    const list = (infos: readonly ValueInfo[]) =>
      infos
        .map(({ name, dtype, shape }) => `${name}: ${dtype}${shape === null ? '' : `[${shape.join(', ')}]`}`)
        .join(', ')
    return `${list(this.#parts.inputs)} → ${list(this.#parts.outputs)}`
  }
}
