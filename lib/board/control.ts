/** What the page may do to a training that goes on in this process. */
import { isPlainObject } from '../base/options.ts'
import { Refusal } from './guard.ts'
import type { ControlRequest } from './protocol.ts'

/** A training that may be controlled. */
export interface Controlled {
  stop(): void
  /** Has a checkpoint written; says where it will be. */
  saveCheckpoint(): string
  learningRate: number
  /** Whether its learning rate is a number, and no schedule. */
  readonly hasLearningRate: boolean
}

const actions = ['stop', 'checkpoint', 'learningRate']

/** @throws Refusal for what is no request */
export function controlRequestIn(text: string): ControlRequest {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new Refusal(400, 'expected JSON')
  }
  const { run, action, value: rate } = (isPlainObject(value) ? value : {}) as Record<string, unknown>
  if (typeof run !== 'string' || !actions.includes(action as string))
    throw new Refusal(400, `expected a run and an action of ${actions.join(', ')}`)
  if (action === 'learningRate' && !(Number.isFinite(rate) && (rate as number) >= 0))
    throw new Refusal(400, 'expected a learning rate that is a finite number of at least 0')
  return value as ControlRequest
}

/**
 * Does it, and says what happens now.
 * @throws Refusal for what this training cannot do
 */
export function control(training: Controlled, request: ControlRequest): string {
  switch (request.action) {
    case 'stop':
      training.stop()
      return 'The training ends after the steps under way.'
    case 'checkpoint':
      return `A checkpoint is written to ${checkpointOf(training)} after the steps under way.`
    case 'learningRate': {
      if (!training.hasLearningRate)
        throw new Refusal(409, 'the learning rate of this training follows a schedule: it cannot be set')
      const before = training.learningRate
      training.learningRate = request.value
      return `The learning rate is ${request.value} from the next steps on; it was ${before}.`
    }
  }
}

function checkpointOf(training: Controlled): string {
  try {
    return training.saveCheckpoint()
  } catch (error) {
    throw new Refusal(409, (error as Error).message)
  }
}
