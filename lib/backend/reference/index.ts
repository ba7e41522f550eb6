/**
 * The backend in plain TypeScript: the definition of what every instruction means, the only one for float64, and what
 * runs where no native binary loads.
 */
import { type Abortable, reasonOf } from '../../base/abort.ts'
import { arrayAt, isArrayOf, type TypedArray } from '../../base/dtype.ts'
import { expected, InternalError } from '../../base/errors.ts'
import { pick, zipWith } from '../../base/lists.ts'
import { sizeOf } from '../../base/shape.ts'
import type { Opcode } from '../../program/instructions.ts'
import { bufferCount, formatType, type Program, type Value } from '../../program/program.ts'
import { isFallible } from '../../program/signatures.ts'
import { verifyProgram } from '../../program/verify.ts'
import type { Backend, Buffers, Executable } from '../backend.ts'
import { rangeError } from '../failure.ts'
import { attention } from './attention.ts'
import { conv2d, conv2dInputGradient, conv2dWeightGradient } from './convolution.ts'
import { demand } from './demand.ts'
import { elementwise } from './elementwise.ts'
import { cholesky, determinant, lu, qr, solve, triangularSolve } from './factorizations.ts'
import { gather, scatterAdd, scatterAlongAxis, takeAlongAxis } from './indexing.ts'
import { eigh, svd } from './jacobi.ts'
import type { Loop } from './loop.ts'
import { matmul } from './matmul.ts'
import { matrixExp } from './matrix-exponential.ts'
import { concat, copy, pad } from './movement.ts'
import { adam, momentum, sgd } from './optimizer.ts'
import { maxPool2d, maxPool2dGradient } from './pooling.ts'
import { random } from './random.ts'
import { argmax, reduce } from './reduce.ts'
import { recurrence, scan } from './scan.ts'
import { logSoftmax, softmax, softmaxCrossEntropy } from './softmax.ts'
import { argsort } from './sort.ts'
import { SubmissionQueue } from './submission-queue.ts'

const loops: { readonly [K in Opcode]: Loop<K> } = {
  matmul,
  elementwise,
  copy,
  pad,
  concat,
  reduce,
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
  /** A typed array for every arena and literal value; the others are bound by each run. */
  #fixed: readonly (TypedArray | undefined)[] | null

  constructor(program: Program, queue: SubmissionQueue) {
    this.#program = program
    this.#queue = queue
    const arena = new ArrayBuffer(program.arenaBytes)
    this.#fixed = program.values.map((value) => fixedArray(program, value, arena))
  }

  run(buffers: Buffers): void {
    const arrays = this.#bind(buffers)
    this.#queue.drain()
    execute(this.#program, arrays)
  }

  profile(buffers: Buffers): Float64Array {
    const arrays = this.#bind(buffers)
    this.#queue.drain()
    const nanoseconds = new Float64Array(this.#program.instructions.length)
    let last = performance.now()
    execute(this.#program, arrays, (index) => {
      const now = performance.now()
      nanoseconds[index] = 1e6 * (now - last)
      last = now
    })
    return nanoseconds
  }

  async runAsync(buffers: Buffers, steps = 1, signal?: Abortable): Promise<void> {
    const runs = Array.from({ length: steps }, (_, step) =>
      this.#bind(buffersOfStep(this.#program, buffers, step, steps)),
    )
    await this.#queue.submit(() => {
      // Nothing can be aborted once it runs, as that takes a single turn of the event loop.
      const aborted = signal === undefined ? null : reasonOf(signal)
      if (aborted === null) {
        for (const bound of runs) execute(this.#program, bound)
        return
      }
      if (runs[0] !== undefined) copyStates(runs[0])
      throw aborted.reason
    })
  }

  dispose(): void {
    this.#fixed = null
  }

  #bind(buffers: Buffers): Bound {
    if (this.#fixed === null) throw new InternalError('a disposed executable was run')
    const program = this.#program
    const { inputCount, stateCount, values } = program
    if (buffers.length !== bufferCount(program))
      throw new TypeError(expected('run', `${bufferCount(program)} buffers`, buffers.length))
    const arrays = zipWith(this.#fixed, values, (array, value) => array ?? boundArray(program, value, buffers))
    const oldStates = buffers.slice(inputCount, inputCount + stateCount)
    const newStates = buffers.slice(inputCount + stateCount, inputCount + 2 * stateCount)
    return { arrays, oldStates, newStates }
  }
}

/** The arrays of one run, by value; a state's is the one that the run writes. */
interface Bound {
  readonly arrays: readonly TypedArray[]
  readonly oldStates: Buffers
  readonly newStates: Buffers
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

function fixedArray(program: Program, { dtype, shape, place }: Value, arena: ArrayBuffer): TypedArray | undefined {
  if (place.kind === 'literal') return program.literals[place.index]
  return place.kind === 'arena' ? arrayAt(dtype, arena, place.offset, sizeOf(shape)) : undefined
}

function boundArray({ inputCount, stateCount }: Program, value: Value, buffers: Buffers): TypedArray {
  const { kind, index } = value.place as { kind: 'input' | 'state' | 'result'; index: number }
  if (kind === 'state') checkBuffer(value, buffers, inputCount + index)
  const firstOf = { input: 0, state: inputCount + stateCount, result: inputCount + 2 * stateCount }
  return checkBuffer(value, buffers, firstOf[kind] + index)
}

function checkBuffer(value: Value, buffers: Buffers, index: number): TypedArray {
  const buffer = buffers[index]
  if (buffer !== undefined && isArrayOf(value.dtype, buffer) && buffer.length === sizeOf(value.shape)) return buffer
  const got = ArrayBuffer.isView(buffer) ? `${(buffer as object).constructor.name} of ${buffer.length}` : buffer
  throw new TypeError(expected('run', `${formatType(value)} as buffer ${index}`, got))
}

function copyStates({ oldStates, newStates }: Bound): void {
  zipWith(newStates, oldStates, (state, old) => {
    if (state !== old) state.set(old)
  })
}

function execute(program: Program, bound: Bound, done: (index: number) => void = () => {}): void {
  const { arrays } = bound
  copyStates(bound)
  program.instructions.forEach((instruction, index) => {
    const { opcode, inputs, outputs, params } = instruction
    const loop = loops[opcode] as Loop<Opcode>
    const results = pick(arrays, outputs)
    // Extents may be great beside one of 0: loops would go over nothing for hours.
    if (results.some(({ length }) => length > 0) || isFallible(program.values, instruction))
      loop(params, pick(arrays, inputs), results, (...fault) => rangeError(program, index, ...fault))
    done(index)
  })
}
