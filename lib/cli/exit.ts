/** How the command ends: its exit codes, and what it says of an error. */
import { hasColours, paintIf } from '../base/terminal.ts'

/** What a shell sees of an end. */
export const exitCodes = {
  /** All went well. */
  ok: 0,
  /** Something failed: a file, a model, a computation. */
  failure: 1,
  /** What was typed, or a configuration, is wrong. */
  usage: 2,
  /** Ended by Ctrl-C, as shells have it. */
  interrupted: 130,
  /** Ended by SIGTERM. */
  terminated: 143,
} as const

interface CommandErrorOptions {
  /** Where it is: a file and a key. */
  readonly where?: string
  /** What can be done. */
  readonly help?: string
  readonly code?: number
  readonly cause?: unknown
}

/** What keeps a command from its end, in words for who called it: what, where, and what can be done. */
export class CommandError extends Error {
  override name = 'CommandError'
  readonly where: string | undefined
  readonly help: string | undefined
  readonly code: number

  constructor(message: string, { where, help, code = exitCodes.failure, cause }: CommandErrorOptions = {}) {
    super(message, { cause })
    this.where = where
    this.help = help
    this.code = code
  }
}

let debugging = /^(1|true|yes)$/i.test(process.env.GALVANI_DEBUG ?? '')

export const setDebugging = (): void => {
  debugging = true
}

let isJson = false

/** Errors are objects of JSON on stdout, as all else is. */
export const setJsonErrors = (): void => {
  isJson = true
}

/** What is said of an error: a line of what it is, and below it where, and what to do. */
export function textOfError(error: unknown): string {
  const paint = paintIf(hasColours(process.stderr))
  const message = error instanceof Error ? error.message : String(error)
  const lines = [`${paint('galvani:', 'red')} ${message}`]
  if (error instanceof CommandError) {
    if (error.where !== undefined) lines.push(`  in ${error.where}`)
    if (error.help !== undefined) lines.push(paint(`  ${error.help}`, 'dim'))
  }
  if (debugging && error instanceof Error) lines.push(...stackOf(error))
  return `${lines.join('\n')}\n`
}

function errorEvent(error: unknown) {
  const { where, help } = error instanceof CommandError ? error : {}
  const stack = debugging && error instanceof Error ? stackOf(error).join('\n') : undefined
  return { type: 'error', message: error instanceof Error ? error.message : String(error), where, help, stack }
}

const stackOf = (error: Error): string[] => {
  const own = error.stack ?? ''
  return error.cause instanceof Error ? [own, `caused by ${error.cause.stack}`] : [own]
}

/** Says what the error is, and has the process end with its code. */
export function fail(error: unknown): void {
  if (isJson) process.stdout.write(`${JSON.stringify(errorEvent(error))}\n`)
  else process.stderr.write(textOfError(error))
  process.exitCode = error instanceof CommandError ? error.code : exitCodes.failure
}

/** Who reads the output may go before its end, as `head` does: then there is nobody to tell. */
export function guardOutput(): void {
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit()
      throw error
    })
}
