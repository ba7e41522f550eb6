/**
 * State updates: each new value is written where the old one stands, as long as nothing is lost; else, or where that is
 * not wanted, copied there at the end.
 */
import { elementAt } from '../base/lists.ts'
import { sizeOf } from '../base/shape.ts'
import { addValue, instruction, type PlannedDraft, usesOf } from './draft.ts'
import { mayReuse } from './in-place.ts'
import type { Instruction } from './instructions.ts'
import { type Place, valueAt } from './program.ts'
import { bodiesOf, isFallible } from './signatures.ts'

export function placeUpdates(draft: PlannedDraft, wantsInPlace = true): void {
  if (draft.updates.length === 0) return
  const oldValues = oldValuesOf(draft)
  const isOld = new Set(oldValues)
  delayUpdates(draft, oldValues)
  const inPlace = wantsInPlace ? inPlaceTest(draft) : () => false
  const saved: Instruction[] = []
  const copies: Instruction[] = []
  for (const { state, value } of draft.updates) {
    const place = { kind: 'state', index: state } as const
    if (value === oldValues[state]) continue
    if (inPlace(value, elementAt(oldValues, state))) valueAt(draft, value).place = place
    else copies.push(copyTo(draft, isOld.has(value) ? save(draft, saved, value) : value, place))
  }
  draft.instructions = [...saved, ...draft.instructions, ...copies]
}

/** By state, the value it has when the program begins. */
function oldValuesOf({ values, stateCount }: PlannedDraft): number[] {
  const oldValues = new Array<number>(stateCount)
  values.forEach(({ place }, id) => {
    if (place?.kind === 'state') oldValues[place.index] = id
  })
  return oldValues
}

/** An old value that is to become another state's new one is set aside before anything overwrites it. */
function save(draft: PlannedDraft, saved: Instruction[], value: number): number {
  const copy = copyTo(draft, value, null)
  saved.push(copy)
  return elementAt(copy.outputs, 0)
}

function copyTo(draft: PlannedDraft, value: number, place: Place | null): Instruction {
  const { dtype, shape } = valueAt(draft, value)
  const params = { shape: [sizeOf(shape)], offset: 0, strides: [1] }
  return instruction('copy', [value], [addValue(draft, dtype, shape, place)], params)
}

/** Whether a value may be written over an old one: nothing reads that any more, and nothing can fail any more. */
function inPlaceTest(draft: PlannedDraft): (value: number, old: number) => boolean {
  const { lastReaders } = usesOf(draft)
  const lastFallible = lastFallibleOf(draft)
  const writers = new Map<number, number>()
  draft.instructions.forEach(({ outputs }, position) => {
    for (const value of outputs) writers.set(value, position)
  })
  return (value, old) => {
    const writer = writers.get(value) ?? -1
    if (valueAt(draft, value).place !== null || writer <= lastFallible || writer < lastReaders[old]!) return false
    const instruction = elementAt(draft.instructions, writer)
    // What runs programs may be ended between them.
    return bodiesOf(instruction).length === 0 && mayReuse(draft, instruction, instruction.outputs.indexOf(value), old)
  }
}

const lastFallibleOf = ({ values, instructions }: PlannedDraft): number =>
  instructions.findLastIndex((instruction) => isFallible(values, instruction))

/**
 * What does nothing but make new values waits until the old ones were read and nothing can fail any more. What could be made long
 * before is made before the first product that an update follows, and so nothing comes between the two; not earlier, as a run can be
 * aborted only until then.
 */
function delayUpdates(draft: PlannedDraft, oldValues: readonly number[]): void {
  const lastOthers = lastOtherReaders(draft, oldValues)
  const lastFallible = lastFallibleOf(draft)
  /** When a value may be made at the earliest: after that instruction. */
  const due = new Map<number, number>()
  for (const { state, value } of draft.updates)
    due.set(value, Math.max(due.get(value) ?? -1, lastOthers[state]!, lastFallible))
  const updating = updatingInstructions(draft)
  const firstProduct = firstUpdatingProduct(draft, updating)
  const order = draft.instructions.map((instruction, position) => {
    const { inputs, outputs } = instruction
    const isUpdating = updating.has(position)
    let after = isUpdating ? Math.min(position, firstProduct - 1) : position
    const waitFor = (value: number) => {
      after = Math.max(after, due.get(value) ?? -1)
    }
    if (isUpdating) {
      inputs.forEach(waitFor)
      outputs.forEach(waitFor)
    }
    for (const value of outputs) due.set(value, after)
    return { instruction, after: isUpdating ? after + 0.5 : after }
  })
  draft.instructions = order.sort((a, b) => a.after - b.after).map(({ instruction }) => instruction)
}

/** The position of the first product that an updating instruction reads; Infinity where there is none. */
function firstUpdatingProduct({ instructions }: PlannedDraft, updating: ReadonlySet<number>): number {
  const read = new Set([...updating].flatMap((position) => instructions[position]!.inputs))
  const first = instructions.findIndex(({ opcode, outputs }) => opcode === 'matmul' && read.has(outputs[0]!))
  return first === -1 ? Infinity : first
}

/** By state, the last instruction that reads its old value, and does not make the new one, or -1. */
function lastOtherReaders({ instructions, updates, stateCount }: PlannedDraft, oldValues: readonly number[]): number[] {
  const states = new Map(oldValues.map((value, state) => [value, state]))
  const newValues = new Map(updates.map(({ state, value }) => [state, value]))
  const last = new Array<number>(stateCount).fill(-1)
  instructions.forEach(({ inputs, outputs }, position) => {
    for (const value of inputs) {
      const state = states.get(value)
      if (state !== undefined && !outputs.includes(newValues.get(state) ?? -1)) last[state] = position
    }
  })
  return last
}

/** The positions of instructions that make new values of states, for nobody but each other. */
function updatingInstructions(draft: PlannedDraft): Set<number> {
  const { counts } = usesOf(draft)
  const positions = new Set<number>()
  /** How many of those who need a value are updates or such instructions. */
  const needed = new Int32Array(draft.values.length)
  const updated = new Set(draft.updates.map(({ value }) => value))
  for (const { value } of draft.updates) needed[value]!++
  for (let position = draft.instructions.length - 1; position >= 0; position--) {
    const instruction = elementAt(draft.instructions, position)
    const { inputs, outputs } = instruction
    if (isFallible(draft.values, instruction) || !outputs.some((value) => updated.has(value))) continue
    if (!outputs.every((value) => counts[value] === needed[value])) continue
    positions.add(position)
    for (const value of new Set(inputs)) needed[value]!++
  }
  return positions
}
