/** What is recorded once: texts, the summary of the model among them, its graph, and the program of a step. */
import { setImmediate } from 'node:timers/promises'
import { Module } from '../../nn/module.ts'
import type { Argument } from '../../train/source.ts'
import { trainingStep } from '../../train/steps.ts'
import type { SeenCrossing } from '../../train/watching.ts'
import { inspectInTurns } from '../../transforms/inspect.ts'
import { graphOf } from '../model-graph.ts'
import type { InstructionValue } from '../record.ts'
import type { Part, Recording } from '../recording.ts'
import { withInput } from '../sample.ts'

export class Texts implements Part {
  readonly #texts: Readonly<Record<string, string>>

  constructor(texts: Readonly<Record<string, string>>) {
    this.#texts = texts
  }

  begin(recording: Recording): void {
    const place = recording.place()
    for (const [tag, text] of Object.entries(this.#texts)) recording.write({ type: 'text', ...place, tag, text })
  }
}

/** Of a module of `nn`. */
export class Summary implements Part {
  sampled(recording: Recording, argument: Argument): void {
    const { settings } = recording.run
    const { model } = settings
    if (!(model instanceof Module)) return
    const text = withInput(settings, argument, (x) => model.summary(x))
    recording.write({ type: 'text', ...recording.place(), tag: 'summary', text })
  }
}

export class Graph implements Part {
  sampled(recording: Recording, argument: Argument): void {
    recording.write({ type: 'graph', nodes: graphOf(recording.run.settings, argument) })
  }
}

/** A step that takes longer is not run for its own sake: nothing else could be done meanwhile. */
const mostMillisecondsPerStep = 5
/** How long it is run. */
const milliseconds = 50

/** Of the training step, after the first epoch, when no step is under way. */
export class Program implements Part {
  /** When the first steps of an epoch came, whose time has the making of the program in it, and how many came since. */
  #first: number | undefined
  #last = 0
  #steps = 0
  #isDone = false

  begin(): void {
    this.#isDone = false
  }

  beginEpoch(): void {
    this.#first = undefined
    this.#steps = 0
  }

  onSteps(_: unknown, { batches }: SeenCrossing): void {
    this.#last = performance.now()
    if (this.#first === undefined) this.#first = this.#last
    else this.#steps += batches.length
  }

  async epoch(recording: Recording): Promise<void> {
    const { settings } = recording.run
    if (this.#isDone || recording.sample === undefined || this.#first === undefined) return
    this.#isDone = true
    const isQuick = this.#steps > 0 && (this.#last - this.#first) / this.#steps <= mostMillisecondsPerStep
    await setImmediate()
    const { run } = trainingStep({ ...settings, watching: [] })
    const found = await inspectInTurns(run as never, [recording.sample], isQuick ? milliseconds : 0)
    const instructions = found.instructions.map(({ outputs: _, ...instruction }): InstructionValue => instruction)
    const { gigaflops, gigabytesPerSecond } = found.machine ?? {}
    const limits = found.machine === undefined ? {} : { gigaflops: gigaflops!, gigabytesPerSecond: gigabytesPerSecond! }
    recording.write({ type: 'program', title: 'training step', instructions, ...limits })
  }
}
