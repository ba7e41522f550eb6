/**
 * What this machine does at best, by Galvani's own kernels: the roofline (Williams, Waterman & Patterson, 2009) is the
 * longer of the times that arithmetic and memory need.
 */

import { activeBackend, backendInfo } from '../backend/active.ts'
import { allocate } from '../base/dtype.ts'
import { sizeOf } from '../base/shape.ts'
import type { Pieces } from '../base/turns.ts'
import { buildProgram } from '../program/build.ts'
import { addValue, type Draft, emptyDraft, instruction } from '../program/draft.ts'
import type { Instruction } from '../program/instructions.ts'
import type { Precision } from '../program/vocabulary.ts'

export interface MachineLimits {
  /** Of a large matrix product, on all threads in use. */
  readonly gigaflops: number
  /** Bytes read and written by copying, on all threads in use. */
  readonly gigabytesPerSecond: number
  /** The memory over which that was measured: as much as the program touches, which decides the cache it is in. */
  readonly bytes: number
}

/** For each of them, and how many runs at least: the first one may meet memory that the system still has to give. */
const milliseconds = 40
const leastRuns = 4

const measured = new Map<string, number>()

/**
 * Measured when they are first asked for, in pieces of a millisecond or a product each.
 * @param extent of the matrices that are multiplied by the native backend
 * @param precision of the products
 */
export function* machineLimits(
  workingSet: number,
  extent: number,
  precision: Precision = 'float32',
): Pieces<MachineLimits> {
  const { backend, isa, threads } = backendInfo()
  const bytes = 2 ** Math.min(28, Math.max(14, Math.ceil(Math.log2(Math.max(1, workingSet)))))
  function* once(what: string, work: number, draft: () => Draft): Pieces<number> {
    const key = `${what} ${backend} ${isa} ${threads}`
    const known = measured.get(key) ?? work / (yield* leastNanoseconds(draft()))
    measured.set(key, known)
    return known
  }
  const n = backend === 'native' ? extent : 96
  return {
    gigaflops: yield* once(`matmul ${n} ${precision}`, 2 * n ** 3, () => product(n, precision)),
    gigabytesPerSecond: yield* once(`copy ${bytes}`, bytes, () => copy(bytes / 8)),
    bytes,
  }
}

/** The shortest of many runs, as a machine that does other things too lengthens them at random. */
function* leastNanoseconds(draft: Draft): Pieces<number> {
  const program = buildProgram(draft, [])
  const executable = activeBackend().prepare(program)
  const buffers = program.values.map(({ shape, dtype }) => allocate(dtype, sizeOf(shape)).fill(1))
  let least = Infinity
  let runs = 0
  const end = performance.now() + milliseconds
  let turned = performance.now()
  do {
    least = Math.min(least, ...executable.profile(buffers))
    runs++
    if (performance.now() - turned < 1) continue
    yield
    turned = performance.now()
  } while (performance.now() < end || runs < leastRuns)
  executable.dispose()
  return least
}

/** A program of one instruction on float32 inputs of one size, with a result of that size. */
function draftOf(inputs: number, size: number, make: (inputs: number[], output: number) => Instruction): Draft {
  const draft = emptyDraft()
  const ids = Array.from({ length: inputs }, (_, index) => addValue(draft, 'float32', [size], { kind: 'input', index }))
  const output = addValue(draft, 'float32', [size], { kind: 'result', index: 0 })
  draft.inputCount = inputs
  draft.resultCount = 1
  draft.instructions.push(make(ids, output))
  return draft
}

function product(n: number, precision: Precision): Draft {
  const layout = { offset: 0, batchStride: 0, leadingDimension: n, transpose: false }
  const params = {
    batch: 1,
    m: n,
    n,
    k: n,
    a: layout,
    b: layout,
    activation: 'none',
    slope: 0,
    precision,
  } as const
  return draftOf(2, n * n, (inputs, output) => instruction('matmul', inputs, [output], params))
}

function copy(size: number): Draft {
  const params = { shape: [size], offset: 0, strides: [1] }
  return draftOf(1, size, (inputs, output) => instruction('copy', inputs, [output], params))
}
