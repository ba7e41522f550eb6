/** The passes between lowering and a backend: fuse → plan → verify. */
import type { Draft } from './draft.ts'
import { type FusionPass, fuse, fusionPasses } from './fuse.ts'
import { plan } from './plan.ts'
import type { Program } from './program.ts'
import { verifyProgram } from './verify.ts'

export function buildProgram(draft: Draft, passes: readonly FusionPass[] = fusionPasses): Program {
  fuse(draft, passes)
  const program = plan(draft)
  verifyProgram(program)
  return program
}
