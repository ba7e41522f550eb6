/** What a model gives, in the program: softmax and the likeliest classes; and of a batch's results the answer to each row. */
import { checkBoolean, checkInteger, checkList, describe } from '../base/arguments.ts'
import type { TypedArray } from '../base/dtype.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { formatShape, sizeOf } from '../base/shape.ts'
import { leavesOf, mapTree } from '../base/tree.ts'
import { softmax } from '../operations/softmax.ts'
import { topk } from '../operations/sort.ts'
import { Tensor } from '../tensor/tensor.ts'

/** What is made of the logits of a model that gives one tensor. */
export interface OutputOptions {
  /** Whether the last axis becomes probabilities; false unless given. */
  softmax?: boolean
  /** How many of the likeliest classes are answered, the likeliest first, instead of all. */
  topK?: number
  /** What the classes are called. */
  labels?: readonly string[]
}

const outputOptions: OptionTypes<OutputOptions> = { softmax: 'boolean', topK: 'number', labels: 'other' }

/** The likeliest classes of a row. */
export interface TopClasses {
  /** Their numbers, or their names where there are labels. */
  readonly classes: readonly (number | string)[]
  /** Their probabilities, or logits without `softmax`. */
  readonly values: readonly number[]
}

/** A result of the program, and its part for one row. */
export interface OutputType {
  readonly name: string
  readonly dtype: string
  /** Of one row. */
  readonly shape: readonly number[]
}

export class OutputReader {
  readonly #softmax: boolean
  readonly #topK: number | undefined
  readonly #labels: readonly string[] | undefined

  constructor(
    private readonly op: string,
    given: OutputOptions | undefined,
  ) {
    const { softmax = false, topK, labels } = checkOptions(`${op}: output`, given, outputOptions)
    this.#softmax = checkBoolean(op, 'softmax', softmax)
    this.#topK = topK === undefined ? undefined : checkInteger(op, 'an integer of at least 1 as topK', topK, 1)
    this.#labels = labels === undefined ? undefined : checkList(op, 'a list of names as labels', labels)
    if (this.#labels !== undefined && topK === undefined)
      throw new TypeError(expected(op, 'topK beside labels', 'labels alone'))
  }

  /** How many classes an answer has, and whether by name; undefined where it has all of them. */
  get topClasses(): { readonly count: number; readonly named: boolean } | undefined {
    return this.#topK === undefined ? undefined : { count: this.#topK, named: this.#labels !== undefined }
  }

  /** What is recorded behind the model. */
  record(prediction: unknown, rows: number): unknown {
    const { op } = this
    for (const [, leaf] of leavesOf(op, '', prediction)) {
      if (!(leaf instanceof Tensor)) throw new TypeError(expected(op, 'a model that gives tensors', describe(leaf)))
      if (leaf.shape[0] !== rows)
        throw new ShapeError(
          expected(op, `${rows} rows from the model, as many as it got`, `shape ${formatShape(leaf.shape)}`),
        )
    }
    if (!this.#softmax && this.#topK === undefined) return prediction
    if (!(prediction instanceof Tensor) || prediction.ndim !== 2)
      throw new TypeError(
        expected(op, 'a model that gives a row of numbers for each row, for softmax or topK', describe(prediction)),
      )
    const values = this.#softmax ? softmax(prediction, -1) : prediction
    return this.#topK === undefined ? values : this.#top(values, this.#topK)
  }

  #top(values: Tensor, count: number): unknown {
    const classes = values.shape[1]!
    checkInteger(this.op, `a topK of at most the ${classes} classes`, count, 1, classes)
    if (this.#labels !== undefined && this.#labels.length !== classes)
      throw new RangeError(expected(this.op, `${classes} labels`, this.#labels.length))
    const { values: best, indices } = topk(values, count)
    return { values: best, indices }
  }

  /** What the results of a batch are for a row: those of the program, of which `topK` makes names and numbers. */
  types(results: unknown): readonly OutputType[] {
    return leavesOf(this.op, '', results).map(([path, leaf]) => {
      const { dtype, shape } = leaf as Tensor
      return { name: path.slice(1), dtype, shape: shape.slice(1) }
    })
  }

  /** Of the results of a batch the answer to each of its first rows. */
  async cut(results: unknown, rows: number): Promise<unknown[]> {
    const leaves = leavesOf(this.op, '', results).map(([, leaf]) => leaf as Tensor)
    const sizes = leaves.map((leaf) => sizeOf(leaf.shape.slice(1)))
    const arrays = await Promise.all(leaves.map((leaf) => leaf.data()))
    return Array.from({ length: rows }, (_, row) => {
      let leaf = 0
      const parts = mapTree(this.op, results, () => {
        const size = sizes[leaf]!
        return arrays[leaf++]!.slice(row * size, (row + 1) * size)
      })
      return this.#topK === undefined ? parts : this.#named(parts as { values: TypedArray; indices: TypedArray })
    })
  }

  #named({ values, indices }: { values: TypedArray; indices: TypedArray }): TopClasses {
    const classes = Array.from(indices, (i) => (this.#labels === undefined ? i : this.#labels[i]!))
    return { classes, values: Array.from(values) }
  }
}
