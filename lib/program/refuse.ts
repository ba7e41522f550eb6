/** How an instruction that breaks a rule is refused. */
import { expected, ProgramError } from '../base/errors.ts'

/** The instruction that a message is about. */
export interface Site {
  readonly index: number
  readonly opcode: string
}

export function refuse({ index, opcode }: Site, what: string, got: unknown): never {
  throw new ProgramError(expected(`instruction ${index} (${opcode})`, what, got))
}
