/** What a function becomes and how long each instruction takes, as a table. */
import { checkFunction } from '../base/arguments.ts'
import type { TypedArray } from '../base/dtype.ts'
import { expected } from '../base/errors.ts'
import { inspection } from '../base/inspection.ts'
import { elementAt, pick, zipWith } from '../base/lists.ts'
import { checkOptions, isPlainObject, type OptionTypes } from '../base/options.ts'
import { atOnce, inTurns, type Pieces } from '../base/turns.ts'
import { newStorage } from '../graph/node.ts'
import type { PassEffect } from '../program/passes/index.ts'
import { formatType } from '../program/program.ts'
import { formatInstructions, formatProgram } from '../program/text.ts'
import { bytesOf, flopsOf, workingSet } from '../program/work.ts'
import { evaluateNodesSync } from '../runtime/evaluate.ts'
import { bindRun, type PreparedGraph, settledArray } from '../runtime/execution.ts'
import { settleAll } from '../runtime/line.ts'
import { type MachineLimits, machineLimits } from '../runtime/roofline.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { activeTrace } from '../tensor/trace.ts'
import { prepareAlone, recordFunction, startTracedSync, type Traced, tensorsIn, tracedWith } from './recording.ts'

/** One instruction of a program. */
export interface InspectedInstruction {
  readonly opcode: string
  /** The line of the program. */
  readonly text: string
  /** The types of what it computes: `float32[128,256]`. */
  readonly outputs: readonly string[]
  /** Bytes of operands and results. */
  readonly bytes: number
  /** Operations on real numbers; exp and the like count as one. */
  readonly flops: number
  /** The median time; with `profile`. */
  readonly microseconds?: number
  /** What the machine's arithmetic or memory needs for it at least, whichever is more; with `profile`. */
  readonly limitMicroseconds?: number
}

export interface InspectOptions {
  /** Runs the program some times to measure each instruction. Variables keep their values. */
  profile?: boolean
}

const inspectOptions: OptionTypes<InspectOptions> = { profile: 'boolean' }

/** What `inspect` gives. As a string, and in the console, it is a table. */
export class Inspection {
  /** @internal */
  constructor(
    readonly instructions: readonly InspectedInstruction[],
    /** Scratch memory, which the values between instructions share. */
    readonly arenaBytes: number,
    /** All the memory that a run touches: inputs, variables, results, constants and the arena. */
    readonly totalBytes: number,
    /** How many instructions each pass of the compiler found, and left. */
    readonly passes: readonly PassEffect[],
    /** The whole program as text. */
    readonly program: string,
    /** What the machine does at best, measured by Galvani's own kernels; with `profile`. */
    readonly machine?: MachineLimits,
  ) {}

  get bytes(): number {
    return sum(this.instructions, ({ bytes }) => bytes)
  }

  get flops(): number {
    return sum(this.instructions, ({ flops }) => flops)
  }

  /** Of all instructions; with `profile`. */
  get microseconds(): number | undefined {
    return this.machine && sum(this.instructions, ({ microseconds = 0 }) => microseconds)
  }

  /** The sum of the instructions' limits; with `profile`. */
  get limitMicroseconds(): number | undefined {
    return this.machine && sum(this.instructions, ({ limitMicroseconds = 0 }) => limitMicroseconds)
  }

  toString(): string {
    const rows = this.instructions.map((x, i) => [String(i), ...figures(x), shortened(x.text)])
    const heads = ['', 'bytes', 'FLOPs', ...(this.machine ? ['µs', 'limit', '%'] : []), 'instruction']
    const effects = this.passes.map(({ pass, before, after }) => `${pass} ${before} → ${after}`).join(', ')
    const lines = [
      ...table([heads, ...rows, ['', ...figures(this), `${rows.length} instructions`]]),
      `memory: ${amount(this.totalBytes)}B, of which ${amount(this.arenaBytes)}B arena`,
      `instructions before and after each pass: ${effects || 'no passes'}`,
    ]
    if (this.machine) {
      const { gigaflops, gigabytesPerSecond, bytes } = this.machine
      lines.push(
        `limits, measured: ${threeDigits(gigaflops)} GFLOP/s, ${threeDigits(gigabytesPerSecond)} GB/s over ${amount(bytes)}B`,
      )
    }
    return lines.join('\n')
  }

  [inspection](): string {
    return this.toString()
  }
}

const sum = <T>(items: readonly T[], of: (item: T) => number): number =>
  items.reduce((total, item) => total + of(item), 0)

type Figures = Pick<InspectedInstruction, 'bytes' | 'flops'> & {
  readonly microseconds?: number | undefined
  readonly limitMicroseconds?: number | undefined
}

function figures({ bytes, flops, microseconds, limitMicroseconds }: Figures): string[] {
  const work = [amount(bytes), amount(flops)]
  if (microseconds === undefined || limitMicroseconds === undefined) return work
  const share = (100 * limitMicroseconds) / microseconds
  return [...work, microseconds.toFixed(1), limitMicroseconds.toFixed(1), share.toFixed(0)]
}

/** 1234567 is 1.23M, and 999999, which is rounded to more than there are of the smaller unit, 1.00M. */
function amount(x: number): string {
  if (x < 1000) return String(x)
  const rounded = Number(x.toPrecision(3))
  const power = Math.min(4, Math.floor(Math.log10(rounded) / 3))
  return `${threeDigits(rounded / 1000 ** power)}${'kMGT'[power - 1]}`
}

/** At least three, without an exponent. */
const threeDigits = (x: number): string => (x < 100 ? x.toPrecision(3) : x.toFixed(0))

const shortened = (text: string, most = 100): string => (text.length <= most ? text : `${text.slice(0, most - 1)}…`)

/** Columns of equal width, numbers to the right; the last one is text. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows.reduce<number[]>((most, row) => row.map((cell, i) => Math.max(most[i] ?? 0, cell.length)), [])
  return rows.map((row) => {
    const [numbers, text] = [row.slice(0, -1), row.slice(-1)]
    return [...zipWith(numbers, widths.slice(0, -1), (cell, width) => cell.padStart(width)), ...text].join('  ')
  })
}

/**
 * The program that a function becomes for some arguments: its instructions with their shapes, bytes and FLOPs, and the
 * memory it takes. With `{ profile: true }` as the last argument it also runs, some times, on copies of the variables
 * it would update, and says how long each instruction took, against the roofline of this machine.
 *
 * @param fn what `compile` takes, or a compiled function
 * @param args its arguments, then perhaps options: an object that holds `profile` and nothing else
 *
 * @example
 * console.log(inspect((x, y) => optimizer.minimize(() => losses.crossEntropy(model.forward(x), y)), x, y, { profile: true }))
 */
export function inspect<F extends (...args: Tensor[]) => unknown>(
  fn: F & ((...args: never[]) => unknown),
  ...args: Parameters<F> | [...Parameters<F>, InspectOptions]
): Inspection
export function inspect<A extends unknown[]>(
  fn: (...args: A) => unknown,
  ...args: A | [...A, InspectOptions]
): Inspection
export function inspect(fn: (...args: unknown[]) => unknown, ...rest: unknown[]): Inspection {
  checkFunction('inspect', 'a function', fn)
  if (activeTrace() !== null) throw new TypeError(expected('inspect', 'a call outside compile', 'one inside'))
  const { args, profile } = withoutOptions(fn, rest)
  return atOnce(inspectedInPieces(fn, args, profile ? mostMilliseconds : 0, usualExtent))
}

/** Multiplies matrices of such an extent to find how fast they are; the smaller one does not hold up the event loop for long. */
const [usualExtent, quickExtent] = [1024, 512]

/** `inspect` so that the event loop turns between runs, of which all together take about so long; without a profile for 0 milliseconds. */
export const inspectInTurns = (
  fn: (...args: unknown[]) => unknown,
  args: unknown[],
  milliseconds: number,
): Promise<Inspection> => inTurns(inspectedInPieces(fn, args, milliseconds, quickExtent))

function* inspectedInPieces(
  fn: (...args: unknown[]) => unknown,
  args: unknown[],
  milliseconds: number,
  extent: number,
): Pieces<Inspection> {
  const recording = recordFunction(recordable(fn), args)
  const traced = tracedWith(recording, prepareAlone(recording))
  const { program, effects } = traced.graph
  const plain = zipWith(
    program.instructions,
    formatInstructions(program),
    (instruction, text): InspectedInstruction => ({
      opcode: instruction.opcode,
      text,
      outputs: pick(program.values, instruction.outputs).map(formatType),
      bytes: bytesOf(program, instruction),
      flops: flopsOf(instruction),
    }),
  )
  const total = workingSet(program)
  const text = formatProgram(program)
  if (milliseconds === 0) return new Inspection(plain, program.arenaBytes, total, effects, text)
  yield
  const machine = yield* machineLimits(total, extent)
  const isRounded = program.instructions.map((x) => x.opcode === 'matmul' && x.params.precision === 'bf16')
  const ofBf16 = isRounded.includes(true) ? yield* machineLimits(total, extent, 'bf16') : machine
  const times = yield* profileTraced(traced, args, milliseconds)
  const instructions = zipWith(plain, times, (x, nanoseconds, i) => {
    const { gigaflops } = isRounded[i] ? ofBf16 : machine
    const limit = Math.max(x.flops / gigaflops, x.bytes / machine.gigabytesPerSecond)
    return { ...x, microseconds: nanoseconds / 1000, limitMicroseconds: limit / 1000 }
  })
  return new Inspection(instructions, program.arenaBytes, total, effects, text, machine)
}

/** A compiled function is recorded by its synchronous call. */
function recordable(fn: (...args: unknown[]) => unknown): (...args: unknown[]) => unknown {
  return 'sync' in fn && typeof fn.sync === 'function' ? (fn.sync as typeof fn) : fn
}

/** An object that holds `profile` alone, or that is one more than the arguments of the function, is options. */
function withoutOptions(fn: unknown, rest: unknown[]): { args: unknown[]; profile: boolean } {
  const last = rest.at(-1)
  const most = typeof fn === 'function' && !('sync' in fn) && fn.length > 0 ? fn.length : Infinity
  const isOptions = isPlainObject(last) && (Object.keys(last).join() === 'profile' || rest.length > most)
  if (!isOptions) return { args: rest, profile: false }
  const { profile = false } = checkOptions<InspectOptions>('inspect', last, inspectOptions)
  return { args: rest.slice(0, -1), profile }
}

/** Times go on until the median has settled: so many runs, or so long. */
const mostRuns = 200
const mostMilliseconds = 500
/** Until threads are awake and caches warm. */
const warmingRuns = 3

/** The median time of each instruction, in nanoseconds. */
function* profileTraced(traced: Traced, args: unknown[], milliseconds: number): Pieces<number[]> {
  const { graph, sources, updated } = traced
  const nodes = tensorsIn(args)
  evaluateNodesSync(nodes)
  startTracedSync(traced)
  settleAll()
  const inputs = sources.map((source) => source(nodes, 1))
  const states = updated.map(({ storage }) => copyOf(settledArray(storage)))
  const { buffers } = bindRun(graph, inputs, states.map(inPlace))
  const timed = yield* timedRuns(graph, buffers, milliseconds)
  const runs = timed.map((times) => Array.from(times))
  return graph.program.instructions.map((_, i) => median(runs.map((times) => elementAt(times, i))))
}

const copyOf = (array: TypedArray): TypedArray => array.slice() as TypedArray

function inPlace(array: TypedArray) {
  const storage = newStorage(array)
  return { read: storage, written: storage }
}

function* timedRuns(
  { executable }: PreparedGraph,
  buffers: readonly TypedArray[],
  milliseconds: number,
): Pieces<Float64Array[]> {
  for (let i = 0; i < warmingRuns; i++, yield) executable.profile(buffers)
  const runs: Float64Array[] = []
  const end = performance.now() + milliseconds
  do {
    runs.push(executable.profile(buffers))
    yield
  } while (runs.length < mostRuns && performance.now() < end)
  return runs
}

const median = (numbers: readonly number[]): number =>
  elementAt(
    numbers.toSorted((a, b) => a - b),
    numbers.length >> 1,
  )
