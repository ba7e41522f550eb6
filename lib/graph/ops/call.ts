/** Results of compiled functions: values with a history, which is what was recorded, as a function of other inputs. */
import type { TypedArray } from '../../base/dtype.ts'
import { GradientError, InternalError } from '../../base/errors.ts'
import { elementAt, zipWith } from '../../base/lists.ts'
import { gradients } from '../autograd.ts'
import { type Cotangents, Node, newStorage, type OpDef, storageOf, type TensorType } from '../node.ts'
import { replay } from './gradient-rules.ts'
import { watch } from './leaf.ts'

/** A result of a compiled function has its value: it is neither inferred nor lowered. */
abstract class ResultOp {
  get name(): string {
    return 'compiled'
  }

  infer(): never {
    throw new InternalError('the result of a compiled function is a value')
  }

  lower(): never {
    return this.infer()
  }
}

/** A result of a recorded function, as a function of nodes that each call has other ones for. */
export interface Recorded {
  /** null where the function updates a variable that the result depends on: what it was computed from is gone then. */
  readonly result: Node | null
  readonly sources: readonly Node[]
  /** Whether the result may depend on a source by a differentiable path. */
  readonly differentiable: readonly boolean[]
  /** Whether what a call has in place of a source is kept by nothing but the history. */
  readonly own: readonly boolean[]
  /** Sees to it that inputs of a call keep their values, as a gradient reads them from now on. */
  keep(inputs: readonly Node[]): void
  /** Names an input that was written over since the call. */
  describe(input: number): string
}

/** What a call had in place of the sources, and how often each had been written over by then. */
export interface Call {
  readonly recorded: Recorded
  readonly inputs: readonly Node[]
  readonly writes: readonly number[]
}

/** What has no value yet was never written over. */
export const writesOf = ({ storage }: Node): number => storage?.writes ?? 0

/** Which input has not the value of the call any more; −1 where all have. */
const overwritten = ({ inputs, writes }: Call): number => inputs.findIndex((input, i) => writesOf(input) !== writes[i])

class CallOp extends ResultOp implements OpDef {
  constructor(private readonly call: Call) {
    super()
  }

  vjp(cotangent: Node): Cotangents<readonly Node[]> {
    const { recorded, inputs } = this.call
    if (recorded.result === null) throw new InternalError('a recording without a result has no gradients')
    const gone = overwritten(this.call)
    if (gone >= 0)
      throw new GradientError(
        `gradients: ${recorded.describe(gone)} was updated after a compiled function had computed the value from it: take gradients before the update`,
      )
    recorded.keep(inputs)
    // Each watched for itself, so that what one input owes to another one is not counted here.
    const places = inputs.map(watch)
    const copies = new Map(zipWith(recorded.sources, places, (source, place) => [source, place]))
    const wanted = places.filter((_, i) => recorded.differentiable[i] && inputs[i]?.tracked)
    const found = gradients(replay(recorded.result, copies), wanted, cotangent)
    return places.map((place) => {
      const gradient = found[wanted.indexOf(place)]
      // A gradient rule of the user's may have read what the recording had.
      return gradient ? replay(gradient, copies) : null
    })
  }
}

/** Why a result has no history, and with respect to which nodes that is an error. */
export interface EndedHistory {
  readonly reason: string
  /** The nodes that the result depends on, by their ids. */
  readonly ids: readonly number[]
  /** Whether it may also depend on whatever is older than it. */
  readonly onOlder: boolean
  /** Leaves that stand for the variables it depends on, so that they are found. */
  readonly leaves: readonly Node[]
}

class EndedOp extends ResultOp implements OpDef {
  constructor(private readonly ended: EndedHistory) {
    super()
  }

  checkHistory({ id }: Node, xs: readonly Node[]): void {
    const { ids, onOlder, reason } = this.ended
    if (xs.some((x) => ids.includes(x.id) || (onOlder && x.id < id))) throw new GradientError(`gradients: ${reason}`)
  }
}

/** What one call adds to `held` at least: so many bytes its nodes are, with a margin. */
const callBytes = 4096

/**
 * A chain of calls of which each result is an argument of the next would grow for ever where nobody asks for gradients, so
 * it is cut where it holds so much: between 64 calls with large arguments and 8192 with small ones.
 */
const greatestHeld = 2 ** 25
const greatestCall = greatestHeld / 64

/** What the longest chain of calls holds that ends with this one. */
function heldBy({ recorded, inputs }: Call): number {
  let before = 0
  let bytes = callBytes
  for (let i = 0; i < inputs.length; i++) {
    const input = elementAt(inputs, i)
    if (input.held > before) before = input.held
    if (recorded.own[i]) bytes += storageOf(input).array.byteLength
  }
  return before + Math.min(bytes, greatestCall)
}

function resultNode(def: OpDef, inputs: readonly Node[], array: TypedArray, type: TensorType, held: number): Node {
  const node = new Node(def, inputs, null, type, true)
  node.storage = newStorage(array)
  node.held = held
  return node
}

/** A result that gradients may be asked for; null where the history would hold too much. */
export function callResult(call: Call, array: TypedArray, type: TensorType): Node | null {
  const held = heldBy(call)
  return held > greatestHeld ? null : resultNode(new CallOp(call), call.inputs, array, type, held)
}

/** A result whose history is gone, or was never kept: its gradients are an error. */
export const endedResult = (ended: EndedHistory, array: TypedArray, type: TensorType): Node =>
  resultNode(new EndedOp(ended), ended.leaves, array, type, callBytes)
