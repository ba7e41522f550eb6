/** The rows and targets that an online trainer was given: read, divided into those to train on and those held out, and drawn. */
import { expected, ShapeError } from '../base/errors.ts'
import type { Tensor } from '../tensor/tensor.ts'
import {
  type InputSpec,
  type InputValues,
  inputSpecs,
  type Row,
  RowReader,
  type RowShape,
  type RowValues,
} from './inputs.ts'
import { type Kept, numberAt, ReplayBuffer } from './replay-buffer.ts'
import { type ServedModel, tensorOf } from './served-model.ts'

/** A row with its target, as copies. */
export interface Example {
  readonly row: Row
  readonly target: Row
}

/** Rows that are held out, at most. */
export const mostHeldOut = 256

/** Rows that came, of which so many were held out, and so many were removed as no step could take them. */
export interface ExampleCounts {
  readonly rows: number
  readonly heldOut: number
  readonly removed: number
}

export interface ExampleSettings {
  readonly targetShape: RowShape
  readonly targetDtype: unknown
  readonly size: number
  readonly kind: 'reservoir' | 'recent'
  /** The share of rows that are held out. */
  readonly holdOut: number
  readonly seed: number
}

/** All that examples are at a time. */
export interface ExamplesState {
  readonly counts: ExampleCounts
  /** Undefined where they were not written. */
  readonly buffer: KeptExamples | undefined
  readonly heldOut: KeptExamples | undefined
}

export type KeptExamples = Kept<Example>

export class Examples {
  readonly buffer: ReplayBuffer<Example>
  readonly heldOut: ReplayBuffer<Example>
  readonly #targets: RowReader
  readonly #holdOut: number
  readonly #seed: number
  readonly #counts = { rows: 0, heldOut: 0, removed: 0 }

  constructor(
    op: string,
    private readonly served: ServedModel,
    { targetShape, targetDtype, size, kind, holdOut, seed }: ExampleSettings,
  ) {
    this.#targets = new RowReader('learn', inputSpecs(op, targetShape, targetDtype), {}, true)
    this.#holdOut = holdOut
    this.#seed = seed
    this.buffer = new ReplayBuffer(size, kind, seed)
    this.heldOut = new ReplayBuffer(mostHeldOut, 'recent', seed)
  }

  get counts(): ExampleCounts {
    return this.#counts
  }

  /** What the target of a row is. */
  get target(): InputSpec {
    return this.#targets.specs[0]!
  }

  /** Of each part of a row and then of its target, what it is. */
  get specs(): readonly InputSpec[] {
    return [...this.served.reader.specs, this.target]
  }

  /**
   * @returns copies, as rows may be parts of larger arrays; and whether it is one row by itself
   * @throws TypeError, ShapeError, RangeError for what does not fit
   */
  read(rows: RowValues, targets: InputValues): { examples: Example[]; isSingle: boolean } {
    const given = this.served.reader.read(rows)
    const wanted = this.#targets.read(targets)
    if (given.rows.length !== wanted.rows.length)
      throw new ShapeError(expected('learn', `a target for each of ${given.rows.length} rows`, wanted.rows.length))
    const examples = given.rows.map((row, i) => ({ row: copied(row), target: copied(wanted.rows[i]!) }))
    return { examples, isSingle: given.isSingle }
  }

  /** @returns whether it is one to train on */
  add(example: Example): boolean {
    const isHeldOut = this.#isHeldOut(this.#counts.rows++)
    if (isHeldOut) this.#counts.heldOut++
    const buffer = isHeldOut ? this.heldOut : this.buffer
    buffer.add(example)
    return !isHeldOut
  }

  /** One of each so many rows, so that both kinds are of any time; and any of them, as rows may come in a rhythm of their own. */
  #isHeldOut(place: number): boolean {
    const group = Math.floor(place * this.#holdOut)
    const [begin, end] = [group, group + 1].map((each) => Math.ceil(each / this.#holdOut)) as [number, number]
    return place === begin + Math.floor(numberAt(this.#seed, group) * (end - begin))
  }

  /** Lets go of all that may be trained on or is held out. */
  forget(): void {
    this.buffer.clear()
    this.heldOut.clear()
  }

  remove(bad: ReadonlySet<Example>): void {
    this.#counts.removed += bad.size
    this.buffer.remove(bad)
    this.heldOut.remove(bad)
  }

  state(): ExamplesState {
    return { counts: { ...this.#counts }, buffer: this.buffer.state(), heldOut: this.heldOut.state() }
  }

  load({ counts, buffer, heldOut }: ExamplesState): void {
    Object.assign(this.#counts, counts)
    if (buffer !== undefined) this.buffer.load(buffer)
    if (heldOut !== undefined) this.heldOut.load(heldOut)
  }

  /** As the parts that the model takes, all of one length, and their targets. */
  tensors(examples: readonly Example[]): [parts: Tensor[], target: Tensor] {
    const longest = Math.max(...examples.map(({ row }) => row.length))
    const rows = examples.map(({ row }) => row)
    const targets = examples.map(({ target }) => target)
    const target = this.#targets.join(targets, examples.length)
    return [this.served.tensors(rows, examples.length, longest), tensorOf(this.#targets, target, 0)]
  }
}

const copied = ({ parts, length }: Row): Row => ({ parts: parts.map((part) => part.slice()), length })
