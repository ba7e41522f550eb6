/** The addon without the backend around it, and small programs for it. */
import { numberingOf } from '../../lib/backend/addon.ts'
import { loadAddon } from '../../lib/backend/addon-search.ts'
import { encodeProgram } from '../../lib/program/encode.ts'
import type { Program } from '../../lib/program/program.ts'
import { f32, instruction, program, programOf, value } from './run.ts'

export const addon = loadAddon()
addon.configure()
export const numbering = numberingOf(addon)

export function prepare(program: Program): number {
  const { words, literals } = encodeProgram(program, numbering)
  return addon.prepare(words, literals)
}

/** x + y of four elements each. */
export const addition = programOf(
  'elementwise',
  {
    shape: [4],
    operands: [
      { offset: 0, strides: [1] },
      { offset: 0, strides: [1] },
    ],
    code: [{ op: 'add', dtype: 'float32', args: [0, 1] }],
    results: [2],
  },
  [f32(0, 0, 0, 0), f32(0, 0, 0, 0)],
  [['float32', 4]],
)

/** p' = p − rate·p, in place. */
export const update = (size: number): Program =>
  program({
    values: [
      value('float32', [], 'input', 0),
      value('float32', [size], 'state', 0),
      value('float32', [size], 'state', 0),
    ],
    instructions: [instruction('sgd', { size }, [1, 1, 0], [2])],
    inputCount: 1,
    stateCount: 1,
  })
