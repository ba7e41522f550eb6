/** What a model learns from, as plain data: what is kept with a run, so that other rows are read as those of the training were. */

export interface NumberColumn {
  readonly name: string
  readonly type: 'number'
  /** Whether some had none, so that the model knows what to take in its place. */
  readonly hasMissing: boolean
}

/** Of several numbers in each row. */
export interface VectorColumn {
  readonly name: string
  readonly type: 'vector'
  readonly length: number
}

export interface CategoryColumn {
  readonly name: string
  readonly type: 'category'
  /** In order: each is a feature that is 1 where it stands, and else 0. */
  readonly categories: readonly string[]
}

export type Column = NumberColumn | VectorColumn | CategoryColumn

export type Target =
  | { readonly type: 'classes'; readonly column: string; readonly names: readonly string[] }
  | { readonly type: 'numbers'; readonly columns: readonly string[] }

interface Described {
  /** Of a row that the model is given. */
  readonly input: { readonly shape: readonly number[]; readonly dtype: 'float32' | 'int32' | 'uint8' }
  readonly target: Target
}

/** Rows of columns with names: numbers, vectors and then categories. */
export interface TableDescription extends Described {
  readonly kind: 'table'
  readonly columns: readonly Column[]
}

/** Arrays without names: images, sequences. */
export interface ArraysDescription extends Described {
  readonly kind: 'images' | 'arrays'
}

export type DataDescription = TableDescription | ArraysDescription

export const widthOf = (column: Column): number =>
  column.type === 'category' ? column.categories.length : column.type === 'vector' ? column.length : 1

/** How many numbers the model is to give for each row. */
export const outputsOf = (target: Target): number =>
  target.type === 'classes' ? target.names.length : target.columns.length
