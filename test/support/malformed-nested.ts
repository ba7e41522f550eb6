/** Malformed programs inside instructions, one for each rule that holds there. */
import { mostNesting, type Program } from '../../lib/program/program.ts'
import { breaking, type Malformed, type MutableProgram, set } from './malformed.ts'
import { accumulator, loopOf, nestedSamples } from './nested-samples.ts'
import { f32, instruction, program, value } from './run.ts'

/** The body of the sample's loop. */
const bodyOf = (p: MutableProgram): MutableProgram =>
  (p.instructions[0]!.params as unknown as { body: MutableProgram }).body

const loop = nestedSamples.loop
const inLoop = 'instruction 0 (loop): '

/** A loop of no constants around a body of one carry and nothing else. */
const around = (body: Program): Program =>
  program({
    values: [value('float32', [3], 'state', 0), value('float32', [3], 'arena', 0), value('float32', [3], 'state', 0)],
    instructions: [
      instruction('loop', { length: 1, reverse: false, constants: 0, body }, [0], [1]),
      instruction('copy', { shape: [3], offset: 0, strides: [1] }, [1], [2]),
    ],
    stateCount: 1,
    arenaBytes: 64,
  })

const nested = (depth: number): Program =>
  depth === 0 ? program({ values: [value('float32', [3], 'state', 0)], stateCount: 1 }) : around(nested(depth - 1))

export const malformedNested: readonly Malformed[] = [
  breaking(
    loop,
    'a read of what was not written, inside',
    `${inLoop}instruction 1 (elementwise): expected value 3`,
    (p) => {
      bodyOf(p).instructions[1]!.inputs = [3, 0]
    },
  ),
  breaking(loop, 'a place outside the arena, inside', `${inLoop}value 3: expected to end within the arena`, (p) => {
    bodyOf(p).arenaBytes = 0
  }),
  breaking(
    loop,
    'a state that is read once it is gone',
    `${inLoop}instruction 2 (copy): expected state 0 as it was`,
    (p) => {
      bodyOf(p).instructions.push(bodyOf(p).instructions.shift()!)
    },
  ),
  breaking(loop, 'a literal inside', `${inLoop}`, (p) => {
    bodyOf(p).literals = [f32(1)]
    bodyOf(p).values[0]!.place = { kind: 'literal', index: 0 }
  }),
  breaking(loop, 'a carry of another size', `${inLoop}`, (p) => {
    for (const i of [2, 4]) bodyOf(p).values[i]!.shape = [4]
  }),
  breaking(loop, 'a sequence that is too short', `${inLoop}expected sequence 0 to be float32 with 15 elements`, (p) => {
    set(p.instructions[0]!.params, { length: 5 })
  }),
  breaking(loop, 'more constants than inputs', `${inLoop}expected a body of at least 3 inputs`, (p) => {
    set(p.instructions[0]!.params, { constants: 3 })
  }),
  breaking(loop, 'a result too few', `${inLoop}expected 2 results`, (p) => {
    p.instructions[0]!.outputs = [4]
    p.instructions.push(instruction('copy', { shape: [3], offset: 0, strides: [1] }, [1], [3]) as never)
  }),
  breaking(
    around(nested(0)),
    'a carry that is a state',
    'instruction 0 (loop): expected results that are no states',
    (p) => {
      p.instructions[0]!.outputs = [2]
      p.instructions.pop()
    },
  ),
  breaking(nested(mostNesting), 'programs too deep in each other', 'instruction 0 (loop): ', (p) => {
    set(p, structuredClone(around(nested(mostNesting))))
  }),
  breaking(nestedSamples.whileLoop, 'a condition of two elements', 'instruction 0 (whileLoop): ', (p) => {
    const { condition } = p.instructions[0]!.params as unknown as { condition: MutableProgram }
    condition.values[3]!.shape = [2]
  }),
  breaking(nestedSamples.branch, 'branches of different results', 'instruction 0 (branch): expected', (p) => {
    set(p.instructions[0]!.params, { ifFalse: loopOf(accumulator()) })
  }),
]
