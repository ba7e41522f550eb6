/** For machines: an object of JSON on each line of stdout. What is no finite number is null. */
import type { Callbacks } from '../../train/callbacks/callback.ts'
import { setJsonErrors } from '../exit.ts'
import type { Reporter } from './reporter.ts'

const millisecondsBetween = 1000

const write = (type: string, values: Readonly<Record<string, unknown>>) =>
  void process.stdout.write(`${JSON.stringify({ type, ...values })}\n`)

/** Epochs count from 1 there, as in what people see. */
function trainingEvents(): Callbacks {
  let epochs = 0
  let last = 0
  return {
    onTrainBegin(info) {
      epochs = info.epochs
    },
    onBatchEnd({ epoch, steps, ...info }) {
      if (performance.now() - last < millisecondsBetween) return
      last = performance.now()
      write('batch', { epoch: (epoch as number) + 1, epochs, steps, ...info })
    },
    onEpochEnd({ epoch, ...info }) {
      write('epoch', { epoch: (epoch as number) + 1, epochs, ...info })
    },
  }
}

export function jsonReporter(): Reporter {
  setJsonErrors()
  return { callbacks: [trainingEvents()], note() {}, event: write, result() {} }
}
