/** Ctrl-C while training: the first one ends it well, the second one at once. */
import type { TrainingContext } from '../../train/callbacks/callback.ts'
import { exitCodes } from '../exit.ts'

export interface Interruption {
  /** Its training is paused when a signal comes. */
  readonly callbacks: { onTrainBegin(info: unknown, context: TrainingContext): void }
  /** The exit code of the signal that came; undefined where none did. */
  readonly code: number | undefined
  /** Signals do again what they do without this. */
  end(): void
}

const codes = { SIGINT: exitCodes.interrupted, SIGTERM: exitCodes.terminated } as const

type Signal = keyof typeof codes

/** @param say is called when the first one comes */
export function onInterrupt(say: () => void): Interruption {
  let code: number | undefined
  let context: TrainingContext | undefined
  const take = (signal: Signal) => {
    // Before it has begun, and when it was said once, nothing is to be saved.
    if (context === undefined || code !== undefined) process.exit(codes[signal])
    code = codes[signal]
    say()
    context.pause()
  }
  for (const signal of Object.keys(codes) as Signal[]) process.on(signal, take)
  return {
    callbacks: {
      onTrainBegin(_, given) {
        context = given
      },
    },
    get code() {
      return code
    },
    end() {
      for (const signal of Object.keys(codes) as Signal[]) process.off(signal, take)
    },
  }
}
