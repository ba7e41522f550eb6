/**
 * The passes between lowering and a program, in their order. Each may be left out, and the results stay the same within
 * the numeric contract: for tests, and to find out which one a wrong result comes from.
 */
import { expected } from '../../base/errors.ts'
import type { Draft } from '../draft.ts'
import { mergeCommon } from './common.ts'
import { foldConstants } from './constants.ts'
import { removeDead } from './dead.ts'
import { fuseElementwise } from './elementwise.ts'
import { fuseEpilogues } from './epilogue.ts'

/** Passes that rewrite a draft. */
const rewrites = {
  constants: foldConstants,
  common: mergeCommon,
  dead: removeDead,
  epilogue: fuseEpilogues,
  elementwise: fuseElementwise,
} as const satisfies Record<string, (draft: Draft) => void>

/** The planner's: values written over operands that nobody reads any more, and memory used again. */
const planning = ['inPlace', 'reuse'] as const

export type PassName = keyof typeof rewrites | (typeof planning)[number]

export const passNames: readonly PassName[] = [...(Object.keys(rewrites) as (keyof typeof rewrites)[]), ...planning]

/** How many instructions a pass left of those it found. */
export interface PassEffect {
  readonly pass: PassName
  readonly before: number
  readonly after: number
}

/** Runs the passes that are on and rewrite the draft. */
export function rewrite(draft: Draft, passes: readonly PassName[] = passNames): PassEffect[] {
  const effects: PassEffect[] = []
  for (const pass of passNames) {
    const run = pass in rewrites ? rewrites[pass as keyof typeof rewrites] : null
    if (run === null || !passes.includes(pass)) continue
    const before = draft.instructions.length
    run(draft)
    effects.push({ pass, before, after: draft.instructions.length })
  }
  return effects
}

/**
 * Names with commas between them: of the passes to run, or with a - before each of them, of those to leave out. `none`
 * runs none, an empty text all.
 */
export function parsePasses(text: string): readonly PassName[] {
  const words = text.split(',').flatMap((word) => word.trim() || [])
  if (words.length === 1 && words[0] === 'none') return []
  const left = words.filter((word) => word.startsWith('-'))
  const names = words.map((word) => word.replace(/^-/, ''))
  const unknown = names.find((name) => !(passNames as readonly string[]).includes(name))
  if (unknown !== undefined)
    throw new RangeError(expected('GALVANI_PASSES', `none, or some of ${passNames.join(', ')}`, unknown))
  if (left.length > 0 && left.length < words.length)
    throw new RangeError(expected('GALVANI_PASSES', 'passes to run, or with a - before each, to leave out', text))
  return passNames.filter((name) => names.includes(name) === (left.length === 0 && words.length > 0))
}

/** Those that the environment variable says; all of them without it. */
export const chosenPasses = (): readonly PassName[] => parsePasses(process.env.GALVANI_PASSES ?? '')
