/** The history of a training in a file, complete after each epoch. */
import { refuseSurplus } from '../../base/arguments.ts'
import { writeAtomically } from '../../files/atomic.ts'
import { checkPath } from '../../files/file-error.ts'
import type { EpochInfo } from '../events.ts'
import type { History } from '../history.ts'
import type { Callbacks, TrainingContext } from './callback.ts'

async function* textOf(text: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(text)
}

/** Writes the whole of it each time: an epoch that is trained again after a resume stands there once. */
class Logger implements Callbacks {
  constructor(
    readonly name: string,
    private readonly path: string,
    private readonly format: (history: History) => string,
  ) {}

  async onEpochEnd(_: EpochInfo, { history }: TrainingContext): Promise<void> {
    await writeAtomically(this.name, this.path, textOf(this.format(history)))
  }
}

/**
 * Keeps `history.toCSV()` in a file, which is replaced as a whole after each epoch (Keras's CSVLogger).
 * @throws (training rejects with) what the file system says
 */
export function csvLogger(path: string, ...surplus: []): Callbacks {
  refuseSurplus('csvLogger', 1, surplus)
  return new Logger('csvLogger', checkPath('csvLogger', path), (history) => history.toCSV())
}

/**
 * Keeps the epochs in a file as JSON, one of a line, which is replaced as a whole after each epoch. What is no finite number is null.
 * @throws (training rejects with) what the file system says
 */
export function jsonLogger(path: string, ...surplus: []): Callbacks {
  refuseSurplus('jsonLogger', 1, surplus)
  const format = ({ epochs }: History) => epochs.map((info) => `${JSON.stringify(info)}\n`).join('')
  return new Logger('jsonLogger', checkPath('jsonLogger', path), format)
}
