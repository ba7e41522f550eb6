/** The checkpoints of an online trainer: written beside the training, one after the other, and read when another process goes on. */
import { resolve } from 'node:path'
import { checkBoolean, checkInteger } from '../base/arguments.ts'
import { DataFormatError, expected } from '../base/errors.ts'
import { isPlainObject, type OptionTypes, requireOptions } from '../base/options.ts'
import { warnOf } from '../base/warning.ts'
import { checkPath } from '../files/file-error.ts'
import type { StateDict } from '../tensor/state-dict.ts'
import { pack, readCheckpoint } from '../train/checkpoint-file.ts'
import { checkpointsIn, prepareDirectory, writeCheckpoint } from '../train/checkpoints.ts'
import type { ExampleCounts, ExamplesState, KeptExamples } from './examples.ts'
import type { InputSpec } from './inputs.ts'
import type { Round } from './online-options.ts'
import type { BufferState } from './replay-buffer.ts'
import { examplesOf, type StoredExamples, stored } from './stored-examples.ts'

export interface TrainerCheckpointOptions {
  /** Where the files are: `step-0000000120.safetensors`, … It is made unless it is there. */
  directory: string
  /** One is written after so many rounds whose result is served; 1 unless given. */
  every?: number
  /** How many of the newest are kept; 3 unless given. */
  keep?: number
  /** Whether the rows that are kept and held out are written, too; true unless given. Without them a trainer that goes on begins with none. */
  rows?: boolean
}

const checkpointOptions: OptionTypes<TrainerCheckpointOptions> = {
  directory: 'string',
  every: 'number',
  keep: 'number',
  rows: 'boolean',
}

/** @throws TypeError, RangeError for options that do not fit */
export function checkpointSettings(op: string, options: TrainerCheckpointOptions): Required<TrainerCheckpointOptions> {
  const name = `${op}: checkpoint`
  const {
    directory,
    every = 1,
    keep = 3,
    rows = true,
  } = requireOptions(name, options, checkpointOptions, ['directory'])
  checkPath(name, directory)
  checkInteger(name, 'an integer of at least 1 as every', every, 1)
  checkInteger(name, 'an integer keep of at least 1', keep, 1)
  checkBoolean(name, 'rows', rows)
  return { directory: resolve(directory), every, keep, rows }
}

/** All that the next rounds depend on, when the model is what is served. */
export interface TrainerState {
  readonly model: StateDict
  readonly optimizer: StateDict | undefined
  readonly counts: Readonly<Record<'steps' | 'rounds' | 'swaps' | 'keptBack' | 'undone', number>>
  /** Rows since the last round began. */
  readonly fresh: number
  readonly last: Round | null
  /** The version that is served. */
  readonly version: number
  /** Random numbers of steps that were drawn. */
  readonly draws: number
  readonly examples: ExamplesState
}

/** What is in a file. */
interface StoredState extends Omit<TrainerState, 'examples'> {
  readonly kind: typeof kind
  /** What the rows are of. */
  readonly rows: string
  readonly exampleCounts: ExampleCounts
  readonly buffer?: StoredKept | undefined
  readonly heldOut?: StoredKept | undefined
}

interface StoredKept {
  readonly draws: BufferState
  readonly examples: StoredExamples
}

const kind = 'onlineTrainer'

export class TrainerCheckpoints {
  readonly counts = { checkpoints: 0, failedCheckpoints: 0 }
  /** The newest state that is not in a file. */
  #unsaved: TrainerState | undefined
  /** Whether it is time to write it. */
  #isDue = false
  #writing: Promise<void> | undefined
  #isReady = false
  /** The directory that the training goes on from. */
  #resumed: string | undefined
  #rounds = 0

  constructor(
    private readonly op: string,
    private readonly settings: Required<TrainerCheckpointOptions>,
    private readonly specs: readonly InputSpec[],
  ) {}

  /** What is served has changed: it is written if it is time. */
  changed(state: TrainerState): void {
    this.#unsaved = state
    if (++this.#rounds % this.settings.every === 0) this.save()
  }

  /** Writes what is not in a file, once nothing else is being written. What fails is a warning, and the next state is tried when it is time. */
  save(): void {
    this.#isDue = this.#unsaved !== undefined
    this.#writing ??= this.#saveAll().finally(() => {
      this.#writing = undefined
    })
  }

  async #saveAll(): Promise<void> {
    while (this.#isDue) {
      this.#isDue = false
      const state = this.#unsaved!
      try {
        await this.#write(state)
        this.counts.checkpoints++
        if (this.#unsaved === state) this.#unsaved = undefined
      } catch (error) {
        this.counts.failedCheckpoints++
        warnOf(error)
      }
    }
  }

  async #write(state: TrainerState): Promise<void> {
    const { directory } = this.settings
    if (!this.#isReady) await prepareDirectory(this.op, directory, this.#resumed === directory)
    this.#isReady = true
    await writeCheckpoint(this.op, this.settings, state.counts.steps, pack(this.op, { ...(await this.#stored(state)) }))
  }

  async #stored({ examples, ...state }: TrainerState): Promise<StoredState> {
    const { counts, buffer, heldOut } = examples
    const head = { ...state, kind, rows: rowsText(this.specs), exampleCounts: counts } as const
    if (!this.settings.rows) return head
    const keptOf = async (kept: KeptExamples | undefined) =>
      kept && { draws: kept.draws, examples: await stored(this.op, kept.examples, this.specs) }
    return { ...head, buffer: await keptOf(buffer), heldOut: await keptOf(heldOut) }
  }

  /** The training goes on from the checkpoints of a directory. */
  resume(directory: string): void {
    this.#resumed = resolve(directory)
  }

  /** Writes what is not in a file, and settles when nothing is being written. */
  async end(): Promise<void> {
    await this.#writing
    this.save()
    await this.#writing
  }
}

const rowsText = (specs: readonly InputSpec[]): string =>
  specs
    .map(({ name, dtype, shape }) => `${name}${dtype}[${shape.map((extent) => extent ?? 'any').join(', ')}]`)
    .join(', ')

/**
 * The newest checkpoint of a directory that can be read; those that cannot be are warnings.
 * @returns undefined where there is none at all
 * @throws (rejects with) DataFormatError where all are damaged; RangeError for one of something else
 */
export async function newestState(
  op: string,
  directory: string,
  specs: readonly InputSpec[],
): Promise<{ readonly path: string; readonly state: TrainerState } | undefined> {
  const damaged: Error[] = []
  const paths = await checkpointsIn(op, directory)
  for (const path of paths) {
    const found = await readState(op, path).catch((error: Error) => {
      damaged.push(error)
    })
    if (found === undefined) continue
    for (const error of damaged) process.emitWarning(error)
    checkState(op, path, found.content, specs)
    return { path, state: found.state }
  }
  if (damaged.length === 0) return undefined
  const got = damaged.map(({ message }) => message).join('; ')
  throw new DataFormatError(
    expected(op, `a checkpoint in ${directory} that is whole`, `${paths.length} damaged: ${got}`),
  )
}

async function readState(op: string, path: string): Promise<{ content: StoredState; state: TrainerState }> {
  const content = (await readCheckpoint(op, path)) as unknown as StoredState
  const { kind: _, rows: __, exampleCounts: counts, buffer, heldOut, ...state } = content
  const keptOf = (kept: StoredKept | undefined) =>
    kept && { draws: kept.draws, examples: examplesOf(op, kept.examples) }
  return { content, state: { ...state, examples: { counts, buffer: keptOf(buffer), heldOut: keptOf(heldOut) } } }
}

function checkState(
  op: string,
  path: string,
  { kind: found, model, counts, rows }: StoredState,
  specs: readonly InputSpec[],
) {
  if (found !== kind || !isPlainObject(model) || !isPlainObject(counts))
    throw new RangeError(expected(op, 'a checkpoint of an online trainer', path))
  const own = rowsText(specs)
  if (rows !== own)
    throw new RangeError(expected(op, `a checkpoint of a trainer on rows of ${own}`, `${rows} in ${path}`))
}
