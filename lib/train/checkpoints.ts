/** The checkpoints of a training: when one is due, how many are kept, and which one is the best. */
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { checkInteger, checkNumber, checkText, describe } from '../base/arguments.ts'
import { expected } from '../base/errors.ts'
import { checkOptions, type OptionTypes, requireOptions } from '../base/options.ts'
import { removeLeftovers } from '../files/atomic.ts'
import { fileError } from '../files/file-error.ts'
import type { TrainingContext } from './callbacks/callback.ts'
import { type Packed, writePacked } from './checkpoint-file.ts'
import type { EpochInfo } from './events.ts'
import { Monitor, type MonitorOptions, monitorOptions } from './monitor.ts'

export interface CheckpointOptions {
  /** Where the files are: `step-0000000120.safetensors`, … and `best.safetensors`. It is made unless it is there. */
  directory: string
  /** When one is written: after so many steps, epochs or seconds, or whichever of them comes first; after each epoch unless given. */
  every?: CheckpointInterval
  /** How many of the newest are kept; 2 unless given. An old one is removed once the new one is there. */
  keep?: number
  /** The score by which the best epoch is found, `'validation.loss'`; its checkpoint is `best.safetensors` beside the others. */
  best?: string | MonitorOptions
}

export interface CheckpointInterval {
  steps?: number
  epochs?: number
  seconds?: number
}

const checkpointOptions: OptionTypes<CheckpointOptions> = {
  directory: 'string',
  every: 'other',
  keep: 'number',
  best: 'other',
}
const intervalOptions: OptionTypes<CheckpointInterval> = { steps: 'number', epochs: 'number', seconds: 'number' }

/** Checked and complete. */
export interface CheckpointSettings {
  readonly directory: string
  readonly every: Readonly<CheckpointInterval>
  readonly keep: number
  readonly best: Monitor | undefined
}

/** @throws TypeError, RangeError for options that do not fit */
export function checkpointSettings(op: string, options: CheckpointOptions): CheckpointSettings {
  const name = `${op}: checkpoint`
  const { directory, every: given, keep = 2, best } = requireOptions(name, options, checkpointOptions, ['directory'])
  const every = checkOptions(`${name}: every`, given, intervalOptions)
  if (directory === '' || directory.includes('\0'))
    throw new RangeError(expected(name, 'the path of a directory', describe(directory)))
  for (const unit of ['steps', 'epochs'] as const)
    if (every[unit] !== undefined) checkInteger(name, `an integer of ${unit} of at least 1`, every[unit], 1)
  if (every.seconds !== undefined) checkNumber(name, 'seconds above 0', every.seconds, (x) => x > 0)
  checkInteger(name, 'an integer keep of at least 1', keep, 1)
  const isGiven = Object.values(every).some((value) => value !== undefined)
  return {
    directory,
    every: isGiven ? { ...every } : { epochs: 1 },
    keep,
    best: best === undefined ? best : monitorOf(name, best),
  }
}

const monitorOf = (op: string, best: string | MonitorOptions): Monitor =>
  new Monitor(
    op,
    typeof best === 'string'
      ? { monitor: checkText(op, 'a score as best', best) }
      : checkOptions(`${op}: best`, best, monitorOptions),
  )

const stepFile = /^step-(\d{10,})\.safetensors$/
const bestFile = 'best.safetensors'

const fileOf = (totalSteps: number): string => `step-${String(totalSteps).padStart(10, '0')}.safetensors`

/** The steps of the checkpoints in a directory, the newest first; none where there is no directory. */
async function stepsIn(op: string, directory: string): Promise<number[]> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw fileError(op, 'read', directory, error)
  })
  const steps = names.flatMap((name) => stepFile.exec(name)?.[1] ?? []).map(Number)
  return steps.sort((a, b) => b - a)
}

/** The checkpoints in a directory, the newest first; none where there is no directory. */
export async function checkpointsIn(op: string, directory: string): Promise<string[]> {
  return (await stepsIn(op, directory)).map((step) => join(directory, fileOf(step)))
}

/**
 * Makes a directory ready for checkpoints.
 * @param isResumed whether the training goes on from those that are in it
 * @throws (rejects with) RangeError where it has checkpoints of another training
 */
export async function prepareDirectory(op: string, directory: string, isResumed: boolean): Promise<void> {
  await mkdir(directory, { recursive: true }).catch((error) => {
    throw fileError(op, 'write', directory, error)
  })
  const found = isResumed ? [] : await checkpointsIn(op, directory)
  if (found.length > 0)
    throw new RangeError(
      expected(op, 'a directory without checkpoints, or to resume from it', `${found.length} in ${directory}`),
    )
  await removeLeftovers(directory)
}

/** Writes the checkpoint of a step, and removes those before it but for the last ones: it is one of the `keep` that are there then. */
export async function writeCheckpoint(
  op: string,
  { directory, keep }: Pick<CheckpointSettings, 'directory' | 'keep'>,
  totalSteps: number,
  packed: Packed,
): Promise<void> {
  await writePacked(join(directory, fileOf(totalSteps)), packed)
  // Those of more steps were damaged where the training went on from one before them: they are left to whoever looks for the reason.
  const written = (await stepsIn(op, directory)).filter((step) => step <= totalSteps)
  for (const step of written.slice(keep)) await rm(join(directory, fileOf(step)), { force: true })
}

/** Whether two paths are of the same directory, as far as they say. */
export const isSameDirectory = (a: string | undefined, b: string | undefined): boolean =>
  a !== undefined && b !== undefined && resolve(a) === resolve(b)

/** The best score so far, and the epoch it was of. */
export interface Best {
  readonly score: number
  readonly epoch: number
}

/** Writes checkpoints beside the training, one after the other. */
export class Checkpoints {
  readonly #op: string
  readonly #settings: CheckpointSettings
  #best: Best | undefined
  /** The step at which one is due next. */
  #nextStep = 0
  /** Whether somebody wants one that is not due by itself. */
  #isAsked = false
  #lastTime = performance.now()
  #writes: Promise<void> = Promise.resolve()
  #underWay = 0
  #failure: { readonly error: unknown } | undefined
  /** The steps and epochs of the last one. */
  #last = ''

  private constructor(op: string, settings: CheckpointSettings, totalSteps: number, best: Best | undefined) {
    this.#op = op
    this.#settings = settings
    this.#best = best
    this.#count(totalSteps)
  }

  /**
   * For a training that begins, or goes on from what is in the directory.
   * @throws RangeError where the directory has checkpoints of another training
   */
  static async open(op: string, settings: CheckpointSettings, from?: { totalSteps: number; best: Best | undefined }) {
    await prepareDirectory(op, settings.directory, from !== undefined)
    return new Checkpoints(op, settings, from?.totalSteps ?? 0, from?.best)
  }

  get best(): Best | undefined {
    return this.#best
  }

  #count(totalSteps: number): void {
    const { steps } = this.#settings.every
    this.#nextStep = steps === undefined ? Infinity : (Math.floor(totalSteps / steps) + 1) * steps
    this.#lastTime = performance.now()
  }

  /** How many steps may be submitted at once, so that one ends where a checkpoint is due. */
  stepsLeft(totalSteps: number): number {
    const left = this.#nextStep - totalSteps
    return left > 0 ? left : Infinity
  }

  get directory(): string {
    return this.#settings.directory
  }

  /** Has one be due as soon as none is being written. */
  ask(): void {
    this.#isAsked = true
  }

  /** Whether one is due after so many steps; while one is being written, none is. */
  isDue(totalSteps: number): boolean {
    if (this.#underWay > 0) return false
    if (this.#isAsked) return true
    const { seconds = Infinity } = this.#settings.every
    return totalSteps >= this.#nextStep || performance.now() - this.#lastTime >= 1000 * seconds
  }

  /** Whether one is due after an epoch. */
  isDueAfter(epoch: number): boolean {
    const { epochs } = this.#settings.every
    return epochs !== undefined && (epoch + 1) % epochs === 0
  }

  /** Whether an epoch is the best so far; it is known to be then. */
  isBest(info: EpochInfo, context: Pick<TrainingContext, 'validates'>): boolean {
    const score = this.#settings.best?.valueIn(info, context)
    if (score === undefined || !this.#settings.best!.isBetter(score, this.#best?.score)) return false
    this.#best = { score, epoch: info.epoch }
    return true
  }

  /** Writes one soon; what it throws is thrown by `check` and `end`. */
  save({ totalSteps, epoch }: { totalSteps: number; epoch: number }, packed: Packed): void {
    this.#last = `${totalSteps} ${epoch}`
    this.#isAsked = false
    this.#count(totalSteps)
    this.#write(() => writeCheckpoint(this.#op, this.#settings, totalSteps, packed))
  }

  /** Whether the last one is of this place. */
  has({ totalSteps, epoch }: { totalSteps: number; epoch: number }): boolean {
    return this.#last === `${totalSteps} ${epoch}`
  }

  saveBest(packed: Packed): void {
    this.#write(() => writePacked(join(this.#settings.directory, bestFile), packed))
  }

  #write(work: () => Promise<void>): void {
    this.#underWay++
    this.#writes = this.#writes.then(async () => {
      try {
        if (this.#failure === undefined) await work()
      } catch (error) {
        this.#failure = { error }
      }
      this.#underWay--
    })
  }

  /** @throws what a write threw */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }

  /** Waits where more is to be written than one checkpoint and the best. */
  async keepUp(): Promise<void> {
    if (this.#underWay > 2) await this.#writes
  }

  /** Settles when nothing is being written any more. */
  async end(): Promise<void> {
    await this.#writes
  }
}
