/** What hooks are given: the training that calls them, of which they see a part. */
import { expected } from '../base/errors.ts'
import type { Minimizer } from '../optim/minimizer.ts'
import type { TrainingContext } from './callbacks/callback.ts'
import { History } from './history.ts'
import type { Run } from './loop.ts'
import type { AnyTrainable } from './options.ts'

/** The training itself, for those of the library that record it. */
export let runOf: (context: TrainingContext) => Run

class Context implements TrainingContext {
  readonly #run: Run
  readonly model: AnyTrainable
  readonly optimizer: Minimizer
  readonly validates: boolean

  static {
    runOf = (context) => (context as Context).#run
  }

  constructor(run: Run) {
    const { model, optimizer, validation } = run.settings
    this.#run = run
    this.model = model
    this.optimizer = optimizer
    this.validates = validation !== undefined
  }

  get history(): History {
    return new History(this.#run.history.epochs)
  }

  stop(): void {
    this.#run.stopped = true
  }

  pause(): void {
    this.#run.paused = true
  }

  saveCheckpoint(): string {
    const { checkpoints, settings } = this.#run
    if (checkpoints === undefined)
      throw new TypeError(
        expected('saveCheckpoint', `a training whose ${settings.op} has the option checkpoint`, 'one without'),
      )
    checkpoints.ask()
    return checkpoints.directory
  }
}

export const contextOf = (run: Run): TrainingContext => new Context(run)
