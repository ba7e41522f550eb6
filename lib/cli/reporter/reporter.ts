/** How a command says what happens: to people, to machines, or not at all. */
import type { Callbacks } from '../../train/callbacks/callback.ts'

export interface Reporter {
  /** Of a training. */
  readonly callbacks: readonly Callbacks[]
  /** For people: a line, which is no result. */
  note(text: string): void
  /** For machines: an event, of which the type comes first. */
  event(type: string, values: Readonly<Record<string, unknown>>): void
  /** For people: what a command is asked for. */
  result(text: string): void
}

export interface ReporterOptions {
  readonly json?: boolean
  readonly quiet?: boolean
}

/** Loads the one that is asked for. */
export async function reporterOf({ json = false, quiet = false }: ReporterOptions): Promise<Reporter> {
  if (json) return (await import('./json.ts')).jsonReporter()
  if (quiet) return { callbacks: [], note() {}, event() {}, result() {} }
  return (await import('./terminal.ts')).terminalReporter()
}
