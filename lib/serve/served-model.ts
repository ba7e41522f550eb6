/** A model as it is served: its rows in, its answers out, and the program of each size on a snapshot of its parameters. */
import { data, placeholder } from '../graph/ops/leaf.ts'
import { type Tensor, wrap } from '../tensor/tensor.ts'
import type { AnyTrainable } from '../train/options.ts'
import { type Compiled, compile } from '../transforms/compile.ts'
import { inputSpecs, type JoinedRows, type Row, RowReader } from './inputs.ts'
import type { PredictorOptions } from './options.ts'
import { OutputReader } from './outputs.ts'
import { Snapshot } from './snapshot.ts'

export class ServedModel {
  readonly snapshot: Snapshot
  readonly reader: RowReader
  readonly outputs: OutputReader
  /** Under which name the model is given the lengths of rows. */
  readonly #lengthsAs: string | undefined
  readonly #run: Compiled<[parts: Tensor[]], unknown>

  constructor(op: string, model: AnyTrainable, options: PredictorOptions) {
    const { inputShape, inputDtype, output, finiteOnly = false, lengthsAs } = options
    this.#lengthsAs = lengthsAs
    this.reader = new RowReader(op, inputSpecs(op, inputShape, inputDtype), options, finiteOnly)
    this.outputs = new OutputReader(op, output)
    const forward = (parts: readonly Tensor[]) => model.forward(this.inputOf(parts) as never)
    this.snapshot = new Snapshot(model, () => forward(this.#partsWithoutData()))
    this.#run = compile((parts: Tensor[]) =>
      this.snapshot.record(() => this.outputs.record(forward(parts), parts[0]!.shape[0]!)),
    )
  }

  /** What the program of a size gives for rows, which are filled up to that many. */
  compute(rows: readonly Row[], size: number): Promise<unknown> {
    return this.#run(this.tensors(rows, size))
  }

  /** `compute`, here and now. */
  computeHere(rows: readonly Row[], size: number): unknown {
    return this.#run.sync(this.tensors(rows, size))
  }

  /** Rows as the parts of a batch of a size, of a length that is theirs unless given. */
  tensors(rows: readonly Row[], size: number, length?: number): Tensor[] {
    const joined = this.reader.join(rows, size, length)
    const inputs = joined.parts.map((_, i) => tensorOf(this.reader, joined, i))
    if (this.#lengthsAs !== undefined) inputs.push(wrap(data(joined.lengths, 'int32', [size])))
    return inputs
  }

  #partsWithoutData(): Tensor[] {
    const { specs } = this.reader
    const { shapes } = this.reader.join([this.reader.zeros()], 1)
    const parts = specs.map(({ dtype }, i) => wrap(placeholder(dtype, shapes[i]!)))
    return this.#lengthsAs === undefined ? parts : [...parts, wrap(placeholder('int32', [1]))]
  }

  /** The parts as the model takes them: one by itself, or several by name. */
  inputOf(parts: readonly Tensor[]): unknown {
    const { specs } = this.reader
    if (specs[0]!.name === '') return parts[0]
    const entries: [string, Tensor][] = specs.map(({ name }, i) => [name, parts[i]!])
    if (this.#lengthsAs !== undefined) entries.push([this.#lengthsAs, parts[specs.length]!])
    return Object.fromEntries(entries)
  }
}

/** A part of joined rows, which was made for this alone and so needs no copy. */
export const tensorOf = ({ specs }: RowReader, { parts, shapes }: JoinedRows, i: number): Tensor =>
  wrap(data(parts[i]!, specs[i]!.dtype, shapes[i]!))
