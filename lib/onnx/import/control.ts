/** Operators with graphs in them: a choice of two, and loops; and those that ask whether a value is there. */
import { DTypeError, expected, ShapeError } from '../../base/errors.ts'
import { formatShape, normalizeAxis } from '../../base/shape.ts'
import * as g from '../../operations/index.ts'
import { zeros } from '../../tensor/creation.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { isCompiling } from '../../tensor/trace.ts'
import { cond, whileLoop } from '../../transforms/control-flow.ts'
import { scan as scanSteps } from '../../transforms/scan.ts'
import type { ElementType } from '../types.ts'
import { HostArray, TensorValue, type Value } from '../values.ts'
import type { Call, Inner } from './call.ts'
import { fitsHost } from './host.ts'
import { countTo } from './places.ts'
import { type Family, type Result, row } from './row.ts'

/** A loop of more steps is one of the program, where its body allows it. */
const mostListed = 32

/** So many steps of a loop are recorded one after the other; more would be no graph any more. */
const mostUnrolled = 100_000

/** A condition that is known chooses; one that is computed is evaluated, and inside compile chooses when the program runs. */
function choose(call: Call): readonly Result[] {
  const branch = (isTrue: boolean) => call.inner(isTrue ? 'then_branch' : 'else_branch').run([])
  if (!isCompiling() || call.isHost(0)) return branch(call.number(0) !== 0)
  const types: ElementType[][] = []
  const traced = (isTrue: boolean) => (): Tensor[] => {
    const values = branch(isTrue)
    types.push(values.map(({ type }) => type))
    return values.map((value) => call.tensorOf(value))
  }
  const results = cond(g.reshape(call.tensor(0), []), traced(true), traced(false)) as Tensor[]
  return results.map((tensor, i) => call.as(types[0]![i]!, tensor))
}

/** What a loop begins with. */
interface LoopState {
  readonly carried: Value[]
  readonly scanned: Value[][]
}

/** @throws ShapeError for a body that takes or gives other numbers of values than the node has for it */
function checkBody(call: Call, body: Inner, inputs: number, leastOutputs: number): Inner {
  if (body.inputs !== inputs || body.outputs < leastOutputs)
    throw new ShapeError(
      expected(
        call.info.operator,
        `a body of ${inputs} inputs and at least ${leastOutputs} outputs`,
        `${body.inputs} and ${body.outputs}`,
      ),
    )
  return body
}

/**
 * Steps of a body are recorded one after the other, with the number of the step known to each; many of them, whose number is known, are
 * a scan. A condition that is computed is evaluated after each step; inside compile such a loop runs in the program, and collects
 * nothing from its steps.
 */
function loop(call: Call): readonly Result[] {
  const carriedCount = Math.max(0, call.count - 2)
  const body = checkBody(call, call.inner('body'), 2 + carriedCount, 1 + carriedCount)
  const most = call.has(0) ? call.number(0) : Infinity
  const condition = call.has(1) ? call.value(1) : HostArray.of('bool', [], [1])
  const initial = call.inputs.slice(2).map((_, i) => call.value(i + 2))
  if (isCompiling() && !(condition instanceof HostArray)) return inProgram(call, body, most, condition, initial)
  const steps = mostListed < most && most <= mostUnrolled && (!call.has(1) || call.number(1) !== 0) ? most : 0
  const results = steps === 0 ? undefined : asScan(call, body, steps, initial)
  if (results !== undefined) return results
  let goesOn = !call.has(1) || call.number(1) !== 0
  let state: LoopState = {
    carried: initial,
    scanned: Array.from({ length: body.outputs - 1 - initial.length }, () => []),
  }
  for (let step = 0; goesOn && step < most; step++) {
    if (step >= mostUnrolled) throw new RangeError(expected('Loop', `at most ${mostUnrolled} steps`, 'more'))
    const [next, ...results] = body.run([
      HostArray.of('int64', [], [step]),
      HostArray.of('bool', [], [1]),
      ...state.carried,
    ])
    if (next instanceof TensorValue && isCompiling()) return inProgram(call, body, most, condition, initial)
    goesOn = isTrue(next!)
    const scanned = results.slice(initial.length)
    state = {
      carried: results.slice(0, initial.length),
      scanned: state.scanned.map((list, i) => [...list, scanned[i]!]),
    }
  }
  return [...state.carried, ...state.scanned.map((list) => stacked(call, list))]
}

/** Undefined for a body that asks for the number of its step, gives other shapes than it takes, or may end the loop. */
function asScan(call: Call, body: Inner, steps: number, initial: readonly Value[]): Result[] | undefined {
  const types: ElementType[] = []
  const step = (carry: Tensor[], index: Tensor): readonly [Tensor[], Tensor[]] => {
    const given = carry.map((tensor, i) => call.as(initial[i]!.type, tensor))
    const [next, ...results] = body.run([call.as('int64', index), HostArray.of('bool', [], [1]), ...given])
    if (!(next instanceof HostArray) || !isTrue(next))
      throw new RangeError(expected('Loop', 'a condition that stays true', 'another'))
    types.splice(0, types.length, ...results.map(({ type }) => type))
    const tensors = results.map((value) => call.tensorOf(value))
    return [tensors.slice(0, initial.length), tensors.slice(initial.length)]
  }
  try {
    const carry = initial.map((value) => call.tensorOf(value))
    const [finals, outputs] = scanSteps(step as never, carry, countTo(steps)) as unknown as [Tensor[], Tensor[]]
    return [...finals, ...outputs].map((tensor, i) => call.as(types[i]!, tensor))
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) return undefined
    throw error
  }
}

const isTrue = (value: Value): boolean =>
  Number(value instanceof HostArray ? value.data[0] : value.tensor.dataSync()[0]) !== 0

/** The results of steps along a new first axis. */
function stacked(call: Call, values: readonly Value[]): Result {
  const [first] = values
  if (first === undefined) return zeros([0])
  const shape = [values.length, ...first.shape]
  if (values.every((value): value is HostArray => value instanceof HostArray) && fitsHost(shape))
    return HostArray.of(
      first.type,
      shape,
      values.flatMap(({ data }) => Array.from(data as ArrayLike<number | bigint>)),
    )
  return call.as(first.type, g.stack(values.map((value) => call.tensorOf(value))))
}

function inProgram(
  call: Call,
  body: Inner,
  most: number,
  condition: Value,
  initial: readonly Value[],
): readonly Result[] {
  if (body.outputs > 1 + initial.length)
    throw new TypeError(
      expected(
        'Loop',
        'a number of steps that is known where results are collected inside compile',
        'a condition that is computed',
      ),
    )
  const start = {
    step: g.cast(0, 'int32'),
    goesOn: g.cast(g.reshape(call.tensorOf(condition), []), 'bool'),
    carried: initial.map((value) => call.tensorOf(value)),
  }
  const { carried } = whileLoop(
    ({ goesOn }) => goesOn,
    ({ step, goesOn, carried }) => {
      const given = carried.map((tensor, i) => call.as(initial[i]!.type, tensor))
      const [next, ...results] = body.run([call.as('int64', step), call.as('bool', goesOn), ...given])
      return {
        step: g.add(step, 1),
        goesOn: g.reshape(call.tensorOf(next!), []),
        carried: results.map((value) => call.tensorOf(value)),
      }
    },
    start,
    Number.isFinite(most) ? { maxSteps: most } : {},
  )
  return carried.map((tensor, i) => call.as(initial[i]!.type, tensor))
}

/** How a sequence of a scan lies in its tensor. */
interface Sequence {
  readonly axis: number
  readonly isBackwards: boolean
}

function scan(call: Call): readonly Result[] {
  return call.since === 8
    ? batchedScan(call)
    : scanOf(call, call.values(), (list, i) => call.attributes.ints(list, undefined)?.[i] ?? 0)
}

/** States that each step gives to the next one, and sequences of which each step takes a part. */
function scanOf(call: Call, inputs: readonly Value[], entry: (list: string, i: number) => number): Result[] {
  const sequences = call.attributes.int('num_scan_inputs', 0)
  const body = checkBody(call, call.inner('body'), inputs.length, Math.max(0, inputs.length - sequences))
  const states = inputs.slice(0, inputs.length - sequences)
  const scanned = inputs.slice(states.length)
  const layout = (what: string, i: number, rank: number): Sequence => ({
    axis: normalizeAxis('Scan', entry(`scan_${what}_axes`, i), rank),
    isBackwards: entry(`scan_${what}_directions`, i) !== 0,
  })
  const xs = scanned.map((value, i) => {
    const { axis, isBackwards } = layout('input', i, value.shape.length)
    const whole = g.moveAxis(call.tensorOf(value), axis, 0)
    return isBackwards ? g.flip(whole, 0) : whole
  })
  const types: ElementType[] = []
  const step = (carry: Tensor[], parts: Tensor[]) => {
    const given = [
      ...carry.map((tensor, i) => call.as(states[i]!.type, tensor)),
      ...parts.map((tensor, i) => call.as(scanned[i]!.type, tensor)),
    ]
    const results = body.run(given)
    types.splice(0, types.length, ...results.map(({ type }) => type))
    const tensors = results.map((value) => call.tensorOf(value))
    return [tensors.slice(0, states.length), tensors.slice(states.length)] as const
  }
  const [finals, outputs] = scanSteps(
    step as never,
    states.map((value) => call.tensorOf(value)),
    xs,
  ) as unknown as [Tensor[], Tensor[]]
  return [...finals, ...outputs.map((whole, i) => laidOut(whole, layout('output', i, whole.ndim)))].map((tensor, i) =>
    call.as(types[i] ?? states[i]!.type, tensor),
  )
}

function laidOut(whole: Tensor, { axis, isBackwards }: Sequence): Tensor {
  return g.moveAxis(isBackwards ? g.flip(whole, 0) : whole, 0, axis)
}

/** Of opset 8: the first input is the lengths of sequences, and all others have an axis of the batch before their own. */
function batchedScan(call: Call): Result[] {
  if (call.has(0)) throw new DTypeError(expected('Scan', 'sequences of one length', 'sequence_lens'))
  const inputs = call.inputs.slice(1).map((_, i) => call.value(i + 1))
  const batch = inputs[0]?.shape[0]
  if (batch === undefined || batch === 0 || inputs.some(({ shape }) => shape[0] !== batch))
    throw new ShapeError(
      expected('Scan', 'inputs of one batch', inputs.map(({ shape }) => formatShape(shape)).join(', ')),
    )
  const backwards = call.attributes.ints('directions', [])
  const entry = (list: string, i: number) => (list === 'scan_input_directions' ? (backwards[i] ?? 0) : 0)
  const each = Array.from({ length: batch }, (_, b) => {
    const parts = inputs.map((value) => call.as(value.type, g.select(call.tensorOf(value), 0, b)))
    return scanOf(call, parts, entry) as TensorValue[]
  })
  return each[0]!.map(({ type }, i) => call.as(type, g.stack(each.map((results) => results[i]!.tensor))))
}

/** The versions that came with new types alone. */
const newTypes = [16, 19, 21, 23, 24, 25]

export const control: Family = {
  If: row([1, 11, 13, ...newTypes], choose, { host: [0] }),
  Loop: row([1, 11, 13, ...newTypes], loop, { host: [0, 1] }),
  OptionalGetElement: row([15, 18, 28], (call) => call.value(0)),
  OptionalHasElement: row([15, 18, 28], (call) => HostArray.of('bool', [], [call.has(0) ? 1 : 0])),
  Scan: row([8, 9, 11, ...newTypes], scan),
}
