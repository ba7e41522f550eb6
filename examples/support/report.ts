// What training looks like in a terminal: a progress bar where there is one, plain lines where there is not.

import { Presets, SingleBar } from 'cli-progress'

export interface BatchLogs {
  epoch: number
  /** Steps done in this epoch, of how many, and the samples in them. */
  step: number
  steps: number
  samples: number
  loss: number
  accuracy?: number | undefined
}

export interface EpochLogs {
  epoch: number
  loss: number
  accuracy?: number | undefined
  seconds: number
  validation?: { loss: number; accuracy?: number | undefined } | undefined
}

export interface Report {
  /** What fit calls. */
  readonly callbacks: {
    onBatchEnd(logs: BatchLogs): void
    onEpochEnd(logs: EpochLogs): void
  }
  /** Clears the bar and gives the cursor back, however training ended. */
  close(): void
}

/** Shows how far an epoch is. */
interface Display {
  show(step: number, steps: number, fields: Record<'epoch' | 'loss' | 'accuracy' | 'speed' | 'left', string>): void
  clear(): void
}

export function createReport(epochs: number): Report {
  const display = process.stdout.isTTY ? createBar() : createLines()
  const start = performance.now()
  let epochStart = start
  return {
    callbacks: {
      onBatchEnd({ epoch, step, steps, samples, loss, accuracy }) {
        const now = performance.now()
        const done = (epoch + step / steps) / epochs
        display.show(step, steps, {
          epoch: formatEpoch(epoch, epochs),
          loss: loss.toFixed(4),
          accuracy: formatPercent(accuracy),
          speed: Math.round((samples / (now - epochStart)) * 1000).toString(),
          left: formatSeconds(((now - start) / 1000) * (1 / done - 1)),
        })
      },
      onEpochEnd(logs) {
        epochStart = performance.now()
        display.clear()
        console.log(formatEpochLine(logs, epochs))
      },
    },
    close: () => display.clear(),
  }
}

function createBar(): Display {
  const bar = new SingleBar(
    {
      format: '{epoch} {bar} loss {loss}  accuracy {accuracy}  {speed} samples/s  {left} left',
      stream: process.stdout,
      barsize: 24,
      hideCursor: true,
      clearOnComplete: true,
      gracefulExit: false,
    },
    Presets.shades_classic,
  )
  return {
    show(step, steps, fields) {
      if (bar.isActive) bar.update(step, fields)
      else bar.start(steps, step, fields)
    },
    clear() {
      if (bar.isActive) bar.stop()
    },
  }
}

const secondsBetweenLines = 2

function createLines(): Display {
  let printed = performance.now()
  return {
    show(step, steps, { epoch, loss, accuracy, speed, left }) {
      if (performance.now() - printed < secondsBetweenLines * 1000) return
      printed = performance.now()
      console.log(
        `${epoch}  step ${step}/${steps}  loss ${loss}  accuracy ${accuracy}  ${speed} samples/s  ${left} left`,
      )
    },
    clear() {
      printed = performance.now()
    },
  }
}

/** Rows of a name and a value, aligned. */
export function printTable(rows: readonly (readonly [name: string, value: string])[]): void {
  const width = Math.max(...rows.map(([name]) => name.length))
  console.log(`\n${rows.map(([name, value]) => `  ${name.padEnd(width)}   ${value}`).join('\n')}`)
}

export const formatPercent = (fraction = Number.NaN): string => `${(fraction * 100).toFixed(2)}%`

const formatSeconds = (seconds: number): string =>
  seconds < 60 ? `${Math.ceil(seconds)} s` : `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`

const formatEpoch = (epoch: number, epochs: number): string => `epoch ${epoch + 1}/${epochs}`

function formatEpochLine({ epoch, loss, accuracy, seconds, validation }: EpochLogs, epochs: number): string {
  const train = `loss ${loss.toFixed(4)}  accuracy ${formatPercent(accuracy)}`
  const test =
    validation && `test loss ${validation.loss.toFixed(4)}  test accuracy ${formatPercent(validation.accuracy)}`
  return [formatEpoch(epoch, epochs), train, test, `${seconds.toFixed(2)} s`].filter(Boolean).join('  ')
}
