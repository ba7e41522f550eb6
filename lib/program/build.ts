/** From a draft to a program: the passes, the plan of memory, and a check of all rules. */
import { removeBarriers } from './barriers.ts'
import type { Draft } from './draft.ts'
import { chosenPasses, type PassEffect, type PassName, rewrite } from './passes/index.ts'
import { plan } from './plan.ts'
import type { Program } from './program.ts'
import { verifyProgram } from './verify.ts'

export interface Built {
  readonly program: Program
  /** What the passes did. */
  readonly effects: readonly PassEffect[]
}

export function build(draft: Draft, passes: readonly PassName[] = chosenPasses()): Built {
  const effects = rewrite(draft, passes)
  const program = plan(removeBarriers(draft), { inPlace: passes.includes('inPlace'), reuse: passes.includes('reuse') })
  verifyProgram(program)
  return { program, effects }
}

export const buildProgram = (draft: Draft, passes?: readonly PassName[]): Program => build(draft, passes).program
