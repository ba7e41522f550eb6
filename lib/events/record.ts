/**
 * What is recorded of a run, as plain data that JSON can hold: the one stream of which JSON lines, TensorBoard's event files and the page
 * are made.
 */

/** Where a record stands. */
export interface RecordPlace {
  /** The steps of training so far, of all epochs. */
  readonly step: number
  /** The epochs so far, with the part that is done of the one under way: 1.5 in the middle of the second. */
  readonly epoch?: number
  /** Milliseconds since 1970, as `Date.now()`. */
  readonly time: number
}

/** How the elements of a tensor are spread: counts[i] lie from edges[i] on and below edges[i + 1], the last ones up to it. */
export interface HistogramValue {
  readonly edges: readonly number[]
  readonly counts: readonly number[]
  readonly minimum: number
  readonly maximum: number
  readonly sum: number
  readonly sumOfSquares: number
  /** Elements that are no finite number, which are in none of the other figures. */
  readonly notFinite: number
}

export interface ImageValue {
  readonly width: number
  readonly height: number
  /** 1 gray, 3 RGB, 4 with alpha. */
  readonly channels: 1 | 3 | 4
  /** A PNG file in base64. */
  readonly png: string
}

/** An example of the validation set that was predicted wrongly. */
export interface ExampleValue {
  /** Its row in the data set. */
  readonly row: number
  readonly label: number
  readonly predicted: number
  /** What the model gives its label, from 0 to 1. */
  readonly probability: number
  readonly image?: ImageValue
}

/** What a classifier of two classes does by threshold, in ascending order of those; each list has one number for each. */
export interface PrCurveValue {
  readonly thresholds: readonly number[]
  readonly truePositives: readonly number[]
  readonly falsePositives: readonly number[]
  readonly trueNegatives: readonly number[]
  readonly falseNegatives: readonly number[]
  readonly precision: readonly number[]
  readonly recall: readonly number[]
}

/** An operation of a model's forward pass, or what goes into it. */
export interface GraphNodeValue {
  /** The path of the layer it is in, and its own name: `layers.0/matmul`. Unique. */
  readonly name: string
  /** The operation; `input`, `parameter` and `output` for what is none. */
  readonly op: string
  /** The names of the nodes it reads. */
  readonly inputs: readonly string[]
  readonly dtype: string
  readonly shape: readonly number[]
}

/** An instruction of a program, as `inspect` gives it. */
export interface InstructionValue {
  readonly opcode: string
  readonly text: string
  readonly bytes: number
  readonly flops: number
  readonly microseconds?: number
  readonly limitMicroseconds?: number
}

export interface RunRecords {
  /**
   * The first one: what the run is. With `step` it was gone on with from there, also after it was killed: what stands before it of later steps
   * is void. Another one without `step` begins anew, and voids all that stands before it.
   */
  run: {
    readonly name: string
    readonly epochs?: number
    readonly parameters?: number
    readonly controls?: boolean
    readonly step?: number
  }
  /** What was chosen for the run, by name. */
  hyperparameters: { readonly values: Readonly<Record<string, number | string | boolean>> }
  /** Numbers by tag, `loss/train`: what stands before the first slash is what a chart is of. */
  scalars: RecordPlace & { readonly values: Readonly<Record<string, number>> }
  histogram: RecordPlace & { readonly tag: string; readonly value: HistogramValue }
  images: RecordPlace & { readonly tag: string; readonly images: readonly ImageValue[] }
  text: RecordPlace & { readonly tag: string; readonly text: string }
  prCurve: RecordPlace & { readonly tag: string; readonly value: PrCurveValue }
  /** counts[i][j]: how many rows of class i were predicted as class j. */
  confusion: RecordPlace & { readonly labels: readonly string[]; readonly counts: readonly (readonly number[])[] }
  /** Those with the least probability of their label first. */
  examples: RecordPlace & { readonly labels: readonly string[]; readonly examples: readonly ExampleValue[] }
  graph: { readonly nodes: readonly GraphNodeValue[] }
  program: {
    readonly title: string
    readonly instructions: readonly InstructionValue[]
    readonly gigaflops?: number
    readonly gigabytesPerSecond?: number
  }
  /** Of the process: `rss` in bytes, the delay of its event loop in milliseconds (99th percentile since the last one), processor time over time. */
  system: RecordPlace & {
    readonly rss: number
    readonly eventLoopDelay: number
    readonly processors: number
    readonly threads: number
  }
  /** The last one of a run that ended by itself, `stopped` where somebody asked for it, `failed` with the error's message. */
  end: { readonly time: number; readonly state: 'ended' | 'stopped' | 'failed'; readonly message?: string }
}

/** One of them, with its name as its `type`. */
export type RunRecord = { [Type in keyof RunRecords]: { readonly type: Type } & RunRecords[Type] }[keyof RunRecords]

/** Where records go to: a file, or several things. */
export interface RecordSink {
  /** Takes a record at once; what it does with it must not hold up the caller. */
  write(record: RunRecord): void
  /** Settles when all that was written is where others can read it. */
  flush(): Promise<void>
  /** Settles when nothing is open any more; a later record opens it again. */
  close(): Promise<void>
}
