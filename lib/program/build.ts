/** From a draft to a program: the passes and the plan of memory. Whoever prepares the program checks it against all rules. */
import { removeBarriers } from './barriers.ts'
import type { Draft } from './draft.ts'
import { chosenPasses, type PassEffect, type PassName, rewrite } from './passes/index.ts'
import { plan } from './plan.ts'
import type { Program } from './program.ts'

export interface Built {
  readonly program: Program
  /** What the passes did. */
  readonly effects: readonly PassEffect[]
}

export function build(draft: Draft, passes: readonly PassName[] = chosenPasses()): Built {
  const effects = rewrite(draft, passes)
  const program = plan(removeBarriers(draft), { inPlace: passes.includes('inPlace'), reuse: passes.includes('reuse') })
  return { program, effects }
}

export const buildProgram = (draft: Draft, passes?: readonly PassName[]): Program => build(draft, passes).program
