/** Where the values of the arena lie: those that follow one another in place share a slot, and slots share memory over time. */
import { elementAt } from '../base/lists.ts'
import { byteLength } from '../base/shape.ts'
import { Arena, alignUp } from './arena.ts'
import { type PlannedDraft, usesOf } from './draft.ts'
import { mayReuse } from './in-place.ts'
import type { Instruction } from './instructions.ts'
import { valueAt } from './program.ts'

/** Memory that is in use from one instruction to another, both included. */
export interface Slot {
  readonly bytes: number
  readonly begin: number
  end: number
  offset: number
}

/** The slot of each value that has no other place, without its offset: one that dies gives it to one that may replace it. */
export function findSlots(draft: PlannedDraft, inPlace = true): Map<number, Slot> {
  const slots = new Map<number, Slot>()
  const { lastReaders } = usesOf(draft)
  draft.instructions.forEach((instruction, position) => {
    instruction.outputs.forEach((output, i) => {
      const { place, dtype, shape } = valueAt(draft, output)
      if (place !== null) return
      const end = Math.max(position, lastReaders[output]!)
      const slot = inPlace
        ? donatedSlot(draft, slots, instruction, i, (value) => lastReaders[value] === position)
        : undefined
      if (slot === undefined)
        slots.set(output, { bytes: alignUp(byteLength(dtype, shape)), begin: position, end, offset: 0 })
      else {
        slots.set(output, slot)
        slot.end = end
      }
    })
  })
  return slots
}

/** That of an operand which dies and may be replaced, unless another output has it. */
function donatedSlot(
  draft: PlannedDraft,
  slots: ReadonlyMap<number, Slot>,
  instruction: Instruction,
  output: number,
  isDying: (value: number) => boolean,
): Slot | undefined {
  const { inputs, outputs } = instruction
  for (let i = 0; i < inputs.length; i++) {
    const slot = isDying(inputs[i]!) ? slots.get(inputs[i]!) : undefined
    if (slot === undefined || outputs.some((other) => slots.get(other) === slot)) continue
    if (mayReuse(draft, instruction, output, inputs[i]!)) return slot
  }
  return undefined
}

/** Each slot in memory of its own. */
export function placeApart(slots: readonly Slot[]): number {
  let arenaBytes = 0
  for (const slot of slots) {
    slot.offset = arenaBytes
    arenaBytes += slot.bytes
  }
  return arenaBytes
}

/** Above this many, the work of comparing each slot with all others would show. */
const manySlots = 2048

/** Gives each slot its offset; returns the size of the arena. */
export function placeSlots(slots: readonly Slot[]): number {
  return slots.length <= manySlots ? placeInBestOrder(slots) : placeInOrder(slots)
}

const duration = ({ begin, end }: Slot): number => end - begin + 1

type Order = (a: Slot, b: Slot) => number

/** Which slots choose first. By size comes within a few percent of the least that is possible; the others where it does not. */
const orders: readonly Order[] = [
  (a, b) => b.bytes - a.bytes,
  (a, b) => b.bytes * duration(b) - a.bytes * duration(a),
  (a, b) => duration(b) - duration(a) || b.bytes - a.bytes,
  (a, b) => a.begin - b.begin || b.bytes - a.bytes,
]

/** The best order of those tried; none is tried any more where all memory is in use at some time. */
function placeInBestOrder(slots: readonly Slot[]): number {
  const least = mostBytesAtOnce(slots)
  let best = Infinity
  let offsets: readonly number[] = []
  for (const order of orders) {
    const bytes = placeLowest(slots.toSorted(order))
    if (bytes < best) {
      best = bytes
      offsets = slots.map(({ offset }) => offset)
    }
    if (best === least) break
  }
  slots.forEach((slot, i) => {
    slot.offset = elementAt(offsets, i)
  })
  return best
}

function mostBytesAtOnce(slots: readonly Slot[]): number {
  const changes = slots.flatMap(({ begin, end, bytes }) => [
    { time: begin, bytes },
    { time: end + 1, bytes: -bytes },
  ])
  let inUse = 0
  let most = 0
  // What ends at a time makes room for what begins there.
  for (const { bytes } of changes.sort((a, b) => a.time - b.time || a.bytes - b.bytes)) {
    inUse += bytes
    most = Math.max(most, inUse)
  }
  return most
}

/**
 * One after the other, each at the lowest offset that is free while it is in use (with the largest first "greedy by size":
 * Pisarchyk & Lee, "Efficient memory management for deep neural net inference", 2020).
 */
function placeLowest(slots: readonly Slot[]): number {
  const placed: Slot[] = []
  let arenaBytes = 0
  for (const slot of slots) {
    slot.offset = 0
    for (const other of placed) {
      if (other.end < slot.begin || other.begin > slot.end) continue
      if (other.offset >= slot.offset + slot.bytes) break
      slot.offset = Math.max(slot.offset, other.offset + other.bytes)
    }
    const next = placed.findIndex(({ offset }) => offset > slot.offset)
    placed.splice(next < 0 ? placed.length : next, 0, slot)
    arenaBytes = Math.max(arenaBytes, slot.offset + slot.bytes)
  }
  return arenaBytes
}

/** In the order of the program, each into the hole that fits best. */
function placeInOrder(slots: readonly Slot[]): number {
  const arena = new Arena()
  const ending = new Map<number, Slot[]>()
  let position = 0
  for (const slot of slots) {
    for (; position < slot.begin; position++) {
      for (const { offset, bytes } of ending.get(position) ?? []) arena.free(offset, bytes)
    }
    slot.offset = arena.allocate(slot.bytes)
    const others = ending.get(slot.end)
    if (others === undefined) ending.set(slot.end, [slot])
    else others.push(slot)
  }
  return arena.bytes
}
