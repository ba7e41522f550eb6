/** Who looks on while a run is trained: its file of events, the page, TensorBoard. */
import { basename, dirname, join } from 'node:path'
import { recordRun } from '../../board/recording.ts'
import type { ObserveOptions } from '../../events/observe.ts'
import type { Callbacks } from '../../train/callbacks/callback.ts'
import { argumentsOf, type Call } from '../config/calls.ts'
import type { Run } from './folder.ts'

export interface Watch {
  /** The port of the page; true for the usual one. */
  readonly board?: number | true
  /** Where TensorBoard looks for runs. */
  readonly tensorboard?: string
}

/** The records of a run stand in its folder in any case. */
export async function watchers(run: Run, { board: port, tensorboard }: Watch): Promise<Callbacks[]> {
  const { folder } = run
  const options = recordedOf(run)
  const name = basename(folder)
  const first = port === undefined ? recordRun(folder, options) : await pageOf(folder, port, options)
  if (tensorboard === undefined) return [first]
  const { tensorBoard } = await import('../../tensorboard/callback.ts')
  return [first, tensorBoard(join(tensorboard, name), options)]
}

/** It keeps the records, too. */
async function pageOf(folder: string, port: number | true, options: ObserveOptions): Promise<Callbacks> {
  const { board } = await import('../../board/callback.ts')
  const place = { folder: dirname(folder), name: basename(folder), controls: true }
  return board({ ...options, ...place, ...(port === true ? {} : { port }) })
}

function recordedOf({ config, data, folder }: Run): ObserveOptions {
  const labels = data.target.type === 'classes' ? { labels: data.target.names } : {}
  const isImage = data.kind === 'images' ? { imageShape: data.input.shape } : {}
  return { name: basename(folder), hyperparameters: chosen(config), ...labels, ...isImage, ...config.record }
}

/** What of a configuration is a number, a text or a truth, by its key. */
function chosen(config: Run['config']): Record<string, number | string | boolean> {
  const { epochs, batchSize, seed, loss, clipNorm, clipValue, accumulate } = config
  const plain = {
    epochs,
    batchSize,
    seed,
    loss,
    clipNorm,
    clipValue,
    accumulate,
    ...namedOf('optimizer', config.optimizer),
  }
  const all = { ...plain, ...namedOf('schedule', config.schedule) }
  return Object.fromEntries(
    Object.entries(all).filter((entry): entry is [string, string | number | boolean] =>
      ['number', 'string', 'boolean'].includes(typeof entry[1]),
    ),
  )
}

function namedOf(key: string, call: unknown): Readonly<Record<string, unknown>> {
  const isCall = typeof call === 'string' || (typeof call === 'object' && call !== null && 'type' in call)
  if (!isCall) return {}
  const { type, given } = argumentsOf(call as Call)
  return { [key]: type, ...Object.fromEntries(Object.entries(given).map(([name, value]) => [`${key}.${name}`, value])) }
}
