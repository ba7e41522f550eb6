/** A malformed program and a well-formed twin that differs in nothing else. */
import type { Program } from '../../lib/program/program.ts'

export interface Malformed {
  readonly rule: string
  readonly twin: Program
  readonly malformed: Program
  /** What the refusal says, or how it begins. */
  readonly message: string
}

type Mutable<T> = { -readonly [K in keyof T]: Mutable<T[K]> }
export type MutableProgram = Mutable<Program>

export function breaking(twin: Program, rule: string, message: string, change: (p: MutableProgram) => void): Malformed {
  const malformed = structuredClone(twin) as unknown as MutableProgram
  change(malformed)
  return { rule, twin, malformed: malformed as unknown as Program, message }
}

/** Writes what the types forbid. */
export function set(target: object, changes: object): void {
  Object.assign(target, changes)
}
