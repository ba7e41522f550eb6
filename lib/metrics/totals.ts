/** What a metric has seen so far, as plain data, and how that of batches is added up: on the host, in float64. */
import { checkInteger, describe } from '../base/arguments.ts'
import { type DType, dtypeOfArray, type TypedArray } from '../base/dtype.ts'
import { DTypeError, expected, ShapeError } from '../base/errors.ts'
import { elementAt } from '../base/lists.ts'
import { checkRecord, isPlainObject } from '../base/options.ts'
import { formatShape, sameShape, sizeOf } from '../base/shape.ts'
import { Tensor } from '../tensor/tensor.ts'

type Named<T> = Readonly<Record<string, T>>

/**
 * Values of a batch about a shift near their mean, of which variances follow without cancellation: d = value − shift. See `moments`,
 * which makes them. The weight is a scalar, the others have a shape of their own.
 */
export interface Moments {
  /** Σ w, the number of rows where there are no weights. */
  readonly weight: Tensor
  readonly shift: Tensor
  /** Σ w·d */
  readonly sum: Tensor
  /** Σ w·d² */
  readonly squares: Tensor
}

/** What one batch adds to a metric, by names of the metric's own, recorded into the step that computes it. */
export interface MetricParts {
  /** Added up, element by element. Counts as int32 are exact, and so are their totals. */
  readonly sums?: Named<Tensor>
  /** The greatest are kept, element by element. */
  readonly max?: Named<Tensor>
  /** The least are kept, element by element. */
  readonly min?: Named<Tensor>
  /** For means and variances over all data. */
  readonly moments?: Named<Moments>
  /** Kept as they are, in the order of the batches: [rows, …]. */
  readonly rows?: Named<Tensor>
}

/** Means and sums of squared deviations from them, over all that was added. */
export interface MomentTotals {
  readonly weight: number
  readonly mean: Float64Array
  /** Σ w·(value − mean)² */
  readonly squares: Float64Array
}

export interface RowTotals {
  /** [rows, …] */
  readonly shape: readonly number[]
  readonly values: TypedArray
}

/** All that was added, as plain data: elements of tensors in their order. */
export interface MetricTotals {
  readonly sums: Named<Float64Array>
  readonly max: Named<Float64Array>
  readonly min: Named<Float64Array>
  readonly moments: Named<MomentTotals>
  readonly rows: Named<RowTotals>
}

const folds = {
  sums: (a: number, b: number) => a + b,
  max: (a: number, b: number) => Math.max(a, b),
  min: (a: number, b: number) => Math.min(a, b),
}

type Fold = keyof typeof folds

const foldKinds = Object.keys(folds) as Fold[]
const kinds: readonly (keyof MetricTotals)[] = [...foldKinds, 'moments', 'rows']

/** Rows that more are added to: the array has room for as many again. */
interface GrowingRows {
  readonly rowShape: readonly number[]
  values: TypedArray
  length: number
}

/** Adds up what batches give. */
export class Accumulator {
  readonly #op: string
  readonly #folded = { sums: new Map(), max: new Map(), min: new Map() } as Record<Fold, Map<string, Float64Array>>
  readonly #moments = new Map<string, MomentTotals>()
  readonly #rows = new Map<string, GrowingRows>()

  /** @param op whose name errors have */
  constructor(op: string) {
    this.#op = op
  }

  /** What batches gave: one of them, or so many `steps` stacked along a first axis. */
  add(parts: MetricParts, steps?: number): void {
    const { moments = {}, rows = {} } = parts
    this.#checkParts(parts, steps === undefined ? 0 : 1)
    const count = steps ?? 1
    for (const kind of foldKinds)
      for (const [name, x] of Object.entries(parts[kind] ?? {})) {
        const values = x.dataSync()
        for (let i = 0; i < count; i++) this.#fold(kind, name, stepOf(values, i, count))
      }
    for (const [name, { weight, shift, sum, squares }] of Object.entries(moments)) {
      const data = [weight, shift, sum, squares].map((x) => x.dataSync()) as [TypedArray, ...TypedArray[]]
      for (let i = 0; i < count; i++) this.#meet(name, momentsOfStep(data.map((values) => stepOf(values, i, count))))
    }
    for (const [name, x] of Object.entries(rows))
      this.#append(name, x.shape.slice(steps === undefined ? 1 : 2), x.dataSync())
  }

  /** What another one has added up. */
  merge(totals: MetricTotals): void {
    this.#checkTotals(totals)
    for (const kind of foldKinds)
      for (const [name, values] of Object.entries(totals[kind])) this.#fold(kind, name, values)
    for (const [name, moments] of Object.entries(totals.moments)) this.#meet(name, moments)
    for (const [name, { shape, values }] of Object.entries(totals.rows)) this.#append(name, shape.slice(1), values)
  }

  totals(): MetricTotals {
    const folded = (kind: Fold) => mapRecord(this.#folded[kind], (values) => values.slice())
    const moments = mapRecord(this.#moments, ({ weight, mean, squares }) => ({
      weight,
      mean: mean.slice(),
      squares: squares.slice(),
    }))
    const rows = mapRecord(this.#rows, ({ rowShape, values, length }) => ({
      shape: [length / Math.max(1, sizeOf(rowShape)), ...rowShape],
      values: values.slice(0, length),
    }))
    return { sums: folded('sums'), max: folded('max'), min: folded('min'), moments, rows }
  }

  #fold(kind: Fold, name: string, values: ArrayLike<number>): void {
    const known = this.#folded[kind].get(name)
    if (known === undefined) {
      this.#folded[kind].set(name, Float64Array.from(values))
      return
    }
    const fold = folds[kind]
    for (let i = 0; i < known.length; i++) known[i] = fold(elementAt(known, i), elementAt(values, i))
  }

  /**
   * Two means and sums of squares become those of all (T. F. Chan, G. H. Golub, R. J. LeVeque: Updating formulae and a
   * pairwise algorithm for computing sample variances, 1979).
   */
  #meet(name: string, b: MomentTotals): void {
    const a = this.#moments.get(name)
    if (a === undefined || a.weight === 0) {
      this.#moments.set(name, { weight: b.weight, mean: b.mean.slice(), squares: b.squares.slice() })
      return
    }
    if (b.weight === 0) return
    const weight = a.weight + b.weight
    const share = b.weight / weight
    const squares = a.squares.map((x, i) => {
      const delta = elementAt(b.mean, i) - elementAt(a.mean, i)
      return x + elementAt(b.squares, i) + delta * delta * a.weight * share
    })
    const mean = a.mean.map((x, i) => x + (elementAt(b.mean, i) - x) * share)
    this.#moments.set(name, { weight, mean, squares })
  }

  #append(name: string, rowShape: readonly number[], values: TypedArray): void {
    const known = this.#rows.get(name)
    if (known === undefined) {
      this.#rows.set(name, { rowShape, values: values.slice(), length: values.length })
      return
    }
    const length = known.length + values.length
    if (length > known.values.length) {
      const room = new (known.values.constructor as Float32ArrayConstructor)(2 * length)
      room.set(known.values.subarray(0, known.length))
      known.values = room
    }
    known.values.set(values, known.length)
    known.length = length
  }

  /** Before anything is added, that all of it can be; `lead` axes of the tensors are steps. */
  #checkParts(parts: MetricParts, lead: number): void {
    for (const kind of foldKinds)
      for (const [name, { shape }] of Object.entries(parts[kind] ?? {}))
        this.#checkLength(name, this.#folded[kind].get(name), sizeOf(shape.slice(lead)))
    for (const [name, { shift }] of Object.entries(parts.moments ?? {}))
      this.#checkLength(name, this.#moments.get(name)?.mean, sizeOf(shift.shape.slice(lead)))
    for (const [name, { shape, dtype }] of Object.entries(parts.rows ?? {}))
      this.#checkRows(name, shape.slice(lead + 1), dtype)
  }

  #checkTotals(totals: MetricTotals): void {
    for (const kind of foldKinds)
      for (const [name, { length }] of Object.entries(totals[kind]))
        this.#checkLength(name, this.#folded[kind].get(name), length)
    for (const [name, { mean }] of Object.entries(totals.moments))
      this.#checkLength(name, this.#moments.get(name)?.mean, mean.length)
    for (const [name, { shape, values }] of Object.entries(totals.rows))
      this.#checkRows(name, shape.slice(1), dtypeOfArray(values)!)
  }

  #checkLength(name: string, known: Float64Array | undefined, given: number): void {
    if (known !== undefined && known.length !== given)
      throw new ShapeError(expected(this.#op, `${name} of ${known.length} elements, as in the batches before`, given))
  }

  #checkRows(name: string, rowShape: readonly number[], dtype: DType): void {
    const known = this.#rows.get(name)
    if (known === undefined) return
    if (!sameShape(known.rowShape, rowShape))
      throw new ShapeError(expected(this.#op, `rows ${name} of ${formatShape(known.rowShape)}`, formatShape(rowShape)))
    const knownType = dtypeOfArray(known.values)
    if (knownType !== (dtype === 'bool' ? 'uint8' : dtype))
      throw new DTypeError(expected(this.#op, `rows ${name} of ${knownType}, as in the batches before`, dtype))
  }
}

const mapRecord = <A, B>(map: ReadonlyMap<string, A>, f: (x: A) => B): Record<string, B> =>
  Object.fromEntries([...map].map(([name, x]) => [name, f(x)]))

/** The part of a step among the values of several. */
function stepOf(values: TypedArray, step: number, steps: number): TypedArray {
  const size = values.length / steps
  return values.subarray(step * size, (step + 1) * size)
}

function momentsOfStep([weights, shift, sum, squares]: readonly TypedArray[]): MomentTotals {
  const weight = elementAt(weights!, 0)
  if (weight === 0) return { weight, mean: new Float64Array(shift!.length), squares: new Float64Array(shift!.length) }
  const mean = Float64Array.from(shift!, (x, i) => x + elementAt(sum!, i) / weight)
  const about = Float64Array.from(squares!, (x, i) => Math.max(0, x - elementAt(sum!, i) ** 2 / weight))
  return { weight, mean, squares: about }
}

const momentNames = ['weight', 'shift', 'sum', 'squares'] as const

/**
 * What a metric's `batch` gave, once it is what it should be.
 * @throws TypeError for anything but parts
 */
export function checkParts(op: string, parts: MetricParts): MetricParts {
  const of = checkRecord(op, 'parts of a batch, such as { sums: { … } }', parts)
  for (const [kind, named] of Object.entries(of)) {
    if (!(kinds as readonly string[]).includes(kind))
      throw new TypeError(expected(op, `parts among ${kinds.join(', ')}`, kind))
    for (const [name, x] of Object.entries(checkRecord(op, `${kind}, tensors by name`, named as object)))
      for (const leaf of kind === 'moments' ? momentLeaves(op, name, x) : [x])
        if (!(leaf instanceof Tensor)) throw new TypeError(expected(op, `a tensor as ${name}`, describe(leaf)))
  }
  for (const [name, x] of Object.entries(of.rows ?? {}))
    if (x.ndim === 0) throw new ShapeError(expected(op, `rows ${name} of shape [rows, …]`, formatShape(x.shape)))
  return parts
}

function momentLeaves(op: string, name: string, moments: unknown): unknown[] {
  if (!isPlainObject(moments)) throw new TypeError(expected(op, `moments as ${name}`, describe(moments)))
  return momentNames.map((part) => (moments as Partial<Moments>)[part])
}

/** The same of what `add` is given, each tensor of it stacked for so many steps, where these are given. */
export function checkSteps(op: string, parts: MetricParts, steps: number | undefined): number | undefined {
  if (steps === undefined) return undefined
  checkInteger(op, 'steps, a positive integer', steps, 1)
  const { moments = {}, ...plain } = parts
  const leaves = [...Object.values(plain), ...Object.values(moments)].flatMap((named) => Object.values(named as object))
  for (const x of leaves as Tensor[])
    if (x.shape[0] !== steps)
      throw new ShapeError(expected(op, `tensors stacked for ${steps} steps`, formatShape(x.shape)))
  return steps
}

const isNumbers = (x: unknown): boolean => x instanceof Float64Array

const isMoments = (x: unknown): boolean => {
  const { weight, mean, squares } = x as Partial<MomentTotals>
  return typeof weight === 'number' && isNumbers(mean) && isNumbers(squares) && mean?.length === squares?.length
}

const isRows = (x: unknown): boolean => {
  const { shape, values } = x as Partial<RowTotals>
  const isShape = Array.isArray(shape) && shape.length > 0 && shape.every((n) => Number.isSafeInteger(n) && n >= 0)
  const isTyped = [Float32Array, Float64Array, Int32Array, Uint8Array].some((type) => values instanceof type)
  return isShape && isTyped && sizeOf(shape) === values?.length
}

const isTotal: Record<keyof MetricTotals, (x: unknown) => boolean> = {
  sums: isNumbers,
  max: isNumbers,
  min: isNumbers,
  moments: isMoments,
  rows: isRows,
}

/** @throws TypeError for what `totals` did not give */
export function checkTotals(op: string, totals: MetricTotals): MetricTotals {
  const given = checkRecord(op, 'totals', totals)
  for (const kind of kinds)
    for (const [name, x] of Object.entries(checkRecord(op, `totals with ${kind} by name`, given[kind] as object)))
      if (typeof x !== 'object' || x === null || !isTotal[kind](x))
        throw new TypeError(expected(op, `${kind} ${name} as a state has them`, describe(x)))
  return totals
}
