/** Callbacks that record a training and serve its page meanwhile. */
import { mkdir } from 'node:fs/promises'
import { isAbsolute, join, relative, resolve, sep } from 'node:path'
import { checkText, describe } from '../base/arguments.ts'
import { expected } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { jsonLinesSink } from '../events/json-lines.ts'
import { type ObserveOptions, observe, observeOptions } from '../events/observe.ts'
import { checkPath, fileError } from '../files/file-error.ts'
import type { Minimizer } from '../optim/minimizer.ts'
import { engineOf, Optimizer } from '../optim/optimizer.ts'
import { type Callbacks, hookNames, type TrainingContext } from '../train/callbacks/callback.ts'
import { watching } from '../train/watching.ts'
import type { Controlled } from './control.ts'
import { checkMemory, checkPort, type OpenBoard, openBoard } from './server.ts'

export interface BoardOptions extends ObserveOptions {
  /** Where runs are, all of which are shown; 'runs' unless given. It is made unless it is there. */
  folder?: string
  /**
   * What the run is called, and its folder in `folder`, to which it adds: that of a training which is gone on with. The time at which it begins unless
   * given, as 2026-11-30-21-05-09.
   */
  name?: string
  /** 6007 unless given, or any that is free where that is in use. One that is given has to be free; 0 is any. */
  port?: number
  /** Whether the page has buttons that stop the training, save a checkpoint and set the learning rate; false unless given. */
  controls?: boolean
  /** Whether the page is served when the training has ended, which keeps the process alive until it is ended; false unless given. */
  keepOpen?: boolean
  /** The bytes that runs may take in memory, about; 512 MiB unless given. */
  memory?: number
  /** Is told the address of the page; it is written to the standard error output unless given. */
  onOpen?: (url: string) => void
}

const ownOptions: OptionTypes<Omit<BoardOptions, keyof ObserveOptions>> = {
  folder: 'string',
  port: 'number',
  keepOpen: 'boolean',
  memory: 'number',
  onOpen: 'function',
}
/** Made when it is first asked for, as another file of the package has a part of it. */
const boardOptions = (): OptionTypes<BoardOptions> => ({ ...observeOptions, ...ownOptions })

const writeAddress = (url: string): void => {
  process.stderr.write(`board: ${url}\n`)
}

/** Pages that stay open after their training, for the next one of the same options. */
const kept = new Map<string, OpenBoard>()

/** The page of one training at a time. */
class TrainingPage {
  readonly #folder: string
  readonly #run: string
  readonly #options: BoardOptions
  #board: OpenBoard | undefined

  /** @param run its folder, in the one that is served */
  constructor(folder: string, run: string, options: BoardOptions) {
    this.#folder = resolve(folder)
    this.#run = run
    this.#options = options
  }

  get #key(): string {
    const { port, controls, memory, keepOpen } = this.#options
    return JSON.stringify([this.#folder, port, controls, memory, keepOpen])
  }

  async open(context: TrainingContext): Promise<void> {
    const { onOpen = writeAddress, controls } = this.#options
    this.#board = kept.get(this.#key) ?? (await this.#openNew())
    // Nobody who looks at it keeps a process alive whose training has failed.
    this.#board.keepAlive(false)
    if (controls) this.#board.news.control(this.#run, controlledBy(context))
    onOpen(this.#board.url)
  }

  async #openNew(): Promise<OpenBoard> {
    const { port, controls = false, memory } = this.#options
    await mkdir(this.#folder, { recursive: true }).catch((error) => {
      throw fileError('board', 'write', this.#folder, error)
    })
    try {
      return await openBoard('board', this.#folder, { port, controls, memory })
    } catch (error) {
      // A training is not kept from its work by another page.
      if (port !== undefined || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
      return openBoard('board', this.#folder, { port: 0, controls, memory })
    }
  }

  /** Shows what was written last, and ends, unless it is to stay. */
  async close(): Promise<void> {
    const board = this.#board
    this.#board = undefined
    if (board === undefined) return
    board.news.control(this.#run, undefined)
    if (this.#options.keepOpen) {
      kept.set(this.#key, board)
      board.keepAlive(true)
      return
    }
    await board.news.catchUp()
    await board.close()
  }
}

/** What the page may do to the training of a context. */
function controlledBy(context: TrainingContext): Controlled {
  const { optimizer } = context
  return {
    stop: () => context.stop(),
    saveCheckpoint: () => context.saveCheckpoint(),
    hasLearningRate: hasLearningRate(optimizer),
    get learningRate() {
      return optimizer.learningRate!
    },
    set learningRate(rate) {
      optimizer.learningRate = rate
    },
  }
}

/** Whether it is a number. That of a schedule is not asked for, which would wait for steps under way. */
function hasLearningRate(optimizer: Minimizer): boolean {
  if (optimizer instanceof Optimizer) return !engineOf(optimizer).rate.isSchedule
  return typeof optimizer.learningRate === 'number'
}

/**
 * Callbacks for `fit` and `train` that record a training as JSON lines, as `recordRun` does, and serve the page of runs meanwhile, at
 * http://127.0.0.1:6007/: this run as it goes on, and all others of the folder. The page ends with the training, unless it is to stay
 * open; `npx galvani board runs` shows it again.
 *
 * With `controls` the page can stop the training, have a checkpoint saved (where training has the option `checkpoint`) and set the learning rate (where that is no
 * schedule). Its address has a token then, without which nothing can be changed; it is kept in a file of the folder that its owner alone
 * can read, so that a page which is open stays good.
 *
 * @throws TypeError, RangeError for options; the training rejects with what the file system says, or where a port that was given is in use
 *
 * @example
 * callbacks: [board({ name: 'first', controls: true })]
 */
export function board(options?: BoardOptions, ...surplus: []): Callbacks {
  const given = { ...checkOptions('board', options, boardOptions(), surplus) }
  const { folder: _, port: __, keepOpen: ___, memory: ____, onOpen: _____, ...observed } = given
  const folder = checkPath('board', given.folder ?? 'runs')
  checkPort('board', given.port)
  checkMemory('board', given.memory)
  const name = given.name ?? timeText(new Date())
  const run = runId(folder, checkText('board', 'a name', name))
  const page = new TrainingPage(folder, run, given)
  const recording = observe(jsonLinesSink('board', join(folder, run)), { ...observed, name })
  return followedBy(recording, page)
}

/** The callbacks, and before and after them what a page needs. */
function followedBy(recording: Callbacks, page: TrainingPage): Callbacks {
  const hooks = hookNames.flatMap((name) => (recording[name] ? [[name, recording[name].bind(recording)] as const] : []))
  return {
    ...(Object.fromEntries(hooks) as Callbacks),
    ...{ name: 'board', [watching]: (recording as { readonly [watching]?: unknown })[watching] },
    async onTrainBegin(info, context) {
      await page.open(context)
      await recording.onTrainBegin?.(info, context)
    },
    async onTrainClose(info, context) {
      try {
        await recording.onTrainClose?.(info, context)
      } finally {
        await page.close()
      }
    },
  }
}

/** The folder of a run as the page calls it: within the one that is served, and none that is hidden. */
function runId(folder: string, name: string): string {
  const id = relative(resolve(folder), resolve(folder, checkPath('board', name))).split(sep)
  if (id.some((part) => part === '' || part.startsWith('.')) || isAbsolute(name))
    throw new RangeError(
      expected('board', 'a name that is a path within the folder, of which no part begins with a dot', describe(name)),
    )
  return id.join('/')
}

/** As a name of a file in every system, in the order of time. */
function timeText(time: Date): string {
  const two = (x: number) => String(x).padStart(2, '0')
  const day = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())]
  return [...day, two(time.getHours()), two(time.getMinutes()), two(time.getSeconds())].join('-')
}
