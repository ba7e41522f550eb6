/**
 * The backend in plain TypeScript: the definition of what every instruction means, the only one for float64, and what
 * runs where no native binary loads.
 */
import { type Abortable, reasonOf } from '../../base/abort.ts'
import type { TypedArray } from '../../base/dtype.ts'
import { InternalError } from '../../base/errors.ts'
import { pick } from '../../base/lists.ts'
import { sizeOf } from '../../base/shape.ts'
import { atOnce, type Pieces } from '../../base/turns.ts'
import type { Opcode } from '../../program/instructions.ts'
import type { Program } from '../../program/program.ts'
import { isFallible } from '../../program/signatures.ts'
import { verifyProgram } from '../../program/verify.ts'
import type { Backend, Buffers, Executable } from '../backend.ts'
import { rangeError } from '../failure.ts'
import { attention } from './attention.ts'
import { attentionGradient } from './attention-gradient.ts'
import { type Bound, bindBuffers, copyStates, fixedArrays } from './binding.ts'
import { conv2d, conv2dInputGradient, conv2dWeightGradient, maxPooledConv2d } from './convolution.ts'
import { demand } from './demand.ts'
import { elementwise } from './elementwise.ts'
import { cholesky, determinant, lu, qr, solve, triangularSolve } from './factorizations.ts'
import { gather, scatterAdd, scatterAlongAxis, takeAlongAxis } from './indexing.ts'
import { eigh, svd } from './jacobi.ts'
import type { Loop } from './loop.ts'
import { matmul } from './matmul.ts'
import { matrixExp } from './matrix-exponential.ts'
import { deviationSums, moments } from './moments.ts'
import { concat, copy, pad } from './movement.ts'
import { isNested, type NestedOpcode, nested } from './nested.ts'
import { adam, momentum, sgd } from './optimizer.ts'
import { maxPool2d, maxPool2dGradient } from './pooling.ts'
import { quantizedMatmul } from './quantized.ts'
import { random } from './random.ts'
import { argmax, reduce } from './reduce.ts'
import { recurrence, scan } from './scan.ts'
import { logSoftmax, softmax, softmaxCrossEntropy } from './softmax.ts'
import { argsort } from './sort.ts'
import { SubmissionQueue } from './submission-queue.ts'

const loops: { readonly [K in Exclude<Opcode, NestedOpcode>]: Loop<K> } = {
  matmul,
  quantizedMatmul,
  elementwise,
  copy,
  pad,
  concat,
  reduce,
  moments,
  deviationSums,
  argmax,
  scan,
  recurrence,
  argsort,
  softmax,
  logSoftmax,
  softmaxCrossEntropy,
  gather,
  scatterAdd,
  takeAlongAxis,
  scatterAlongAxis,
  demand,
  attention,
  attentionGradient,
  cholesky,
  triangularSolve,
  solve,
  determinant,
  lu,
  matrixExp,
  qr,
  eigh,
  svd,
  random,
  sgd,
  momentum,
  adam,
  conv2d,
  maxPooledConv2d,
  conv2dInputGradient,
  conv2dWeightGradient,
  maxPool2d,
  maxPool2dGradient,
}

export function createReferenceBackend(): Backend {
  const queue = new SubmissionQueue()
  return {
    prepare(program) {
      verifyProgram(program)
      return new ReferenceExecutable(program, queue)
    },
    drain: () => queue.drain(),
    isIdle: () => queue.isEmpty,
    setNumThreads: () => {},
    info: () => ({
      backend: 'reference',
      isa: 'javascript',
      supportedIsas: ['javascript'],
      threads: 1,
      threadsFrom: 'reference',
    }),
  }
}

class ReferenceExecutable implements Executable {
  readonly #program: Program
  readonly #queue: SubmissionQueue
  #fixed: readonly (TypedArray | undefined)[] | null

  constructor(program: Program, queue: SubmissionQueue) {
    this.#program = program
    this.#queue = queue
    this.#fixed = fixedArrays(program)
  }

  run(buffers: Buffers): void {
    const arrays = this.#bind(buffers)
    this.#queue.drain()
    atOnce(execute(this.#program, arrays))
  }

  profile(buffers: Buffers): Float64Array {
    const arrays = this.#bind(buffers)
    this.#queue.drain()
    const nanoseconds = new Float64Array(this.#program.instructions.length)
    let last = performance.now()
    const noteTime = (index: number) => {
      const now = performance.now()
      nanoseconds[index] = 1e6 * (now - last)
      last = now
    }
    atOnce(execute(this.#program, arrays, noteTime))
    return nanoseconds
  }

  async runAsync(buffers: Buffers, steps = 1, signal?: Abortable): Promise<void> {
    const runs = Array.from({ length: steps }, (_, step) =>
      this.#bind(buffersOfStep(this.#program, buffers, step, steps)),
    )
    await this.#queue.submit(executeSteps(this.#program, runs, signal))
  }

  dispose(): void {
    this.#fixed = null
  }

  #bind(buffers: Buffers): Bound {
    if (this.#fixed === null) throw new InternalError('a disposed executable was run')
    return bindBuffers(this.#program, this.#fixed, buffers)
  }
}

/** Runs that can be aborted between their pieces, until one has written a state. */
function* executeSteps(program: Program, runs: readonly Bound[], signal: Abortable | undefined): Pieces<void> {
  const writer = program.instructions.findIndex(({ outputs }) =>
    outputs.some((id) => program.values[id]?.place.kind === 'state'),
  )
  for (const bound of runs) {
    const checkAborted = () => {
      const aborted = signal === undefined ? null : reasonOf(signal)
      if (aborted === null) return
      copyStates(bound)
      throw aborted.reason
    }
    checkAborted()
    let hasWritten = false
    const pieces = execute(program, bound, (index) => {
      hasWritten ||= index === writer
    })
    for (let next = pieces.next(); !next.done; next = pieces.next()) {
      yield
      if (!hasWritten) checkAborted()
    }
  }
}

/** What step `step` of `steps` is bound to: its part of each longer input and result, and the states as the step before left them. */
function buffersOfStep(program: Program, buffers: Buffers, step: number, steps: number): Buffers {
  if (steps === 1) return buffers
  const { inputCount, stateCount, values } = program
  const parts = [...buffers]
  for (const { place, shape } of values) {
    if (place.kind !== 'input' && place.kind !== 'result') continue
    const index = place.kind === 'input' ? place.index : inputCount + 2 * stateCount + place.index
    const size = sizeOf(shape)
    const buffer = buffers[index]
    if (buffer !== undefined && (place.kind === 'result' || buffer.length === steps * size))
      parts[index] = buffer.subarray(step * size, (step + 1) * size) as TypedArray
  }
  const written = buffers.slice(inputCount + stateCount, inputCount + 2 * stateCount)
  if (step > 0) parts.splice(inputCount, stateCount, ...written)
  return parts
}

/** A loop comes to a halt after so many milliseconds. */
const millisecondsPerPiece = 2

let pieceBegan = 0

function* execute(program: Program, bound: Bound, done: (index: number) => void = () => {}): Pieces<void> {
  const { arrays } = bound
  copyStates(bound)
  for (const [index, instruction] of program.instructions.entries()) {
    const { opcode, inputs, outputs, params } = instruction
    const results = pick(arrays, outputs)
    // Extents may be great beside one of 0: loops would go over nothing for hours.
    if (results.some(({ length }) => length > 0) || isFallible(program.values, instruction)) {
      const operands = pick(arrays, inputs)
      if (isNested(opcode)) yield* runNested(opcode, params, operands, results)
      else (loops[opcode] as Loop<Opcode>)(params, operands, results, (...fault) => rangeError(instruction, ...fault))
    }
    done(index)
  }
}

/** One step after the other, with a halt where the piece has taken long enough. */
function runNested(
  opcode: NestedOpcode,
  params: unknown,
  operands: readonly TypedArray[],
  results: readonly TypedArray[],
): Pieces<void> {
  const run = nested[opcode] as (...given: unknown[]) => Pieces<void>
  return run(params, operands, results, function* (body: Program, bound: Bound): Pieces<void> {
    yield* execute(body, bound)
    if (performance.now() - pieceBegan < millisecondsPerPiece) return
    yield
    pieceBegan = performance.now()
  })
}
