/** Where the values of the arena lie: those that follow one another in place share a slot, and slots share memory over time. */
import { byteLength } from '../shape.ts'
import { Arena, alignUp } from './arena.ts'
import { type Draft, usesOf } from './draft.ts'
import { mayReplace } from './in-place.ts'

/** Memory that is in use from one instruction to another, both included. */
export interface Slot {
  readonly bytes: number
  readonly begin: number
  end: number
  offset: number
}

/** The slot of each value that has no other place, without its offset: one that dies gives it to one that may replace it. */
export function findSlots(draft: Draft, inPlace = true): Map<number, Slot> {
  const slots = new Map<number, Slot>()
  const { lastReaders } = usesOf(draft)
  draft.instructions.forEach((instruction, position) => {
    const dying = new Set(instruction.inputs.filter((value) => lastReaders[value] === position && slots.has(value)))
    instruction.outputs.forEach((output, i) => {
      const { place, dtype, shape } = draft.values[output]!
      if (place !== null) return
      const end = Math.max(position, lastReaders[output]!)
      const donor = inPlace ? [...dying].find((value) => mayReplace(draft, instruction, i, value)) : undefined
      if (donor === undefined)
        slots.set(output, { bytes: alignUp(byteLength(dtype, shape)), begin: position, end, offset: 0 })
      else {
        dying.delete(donor)
        slots.set(output, slots.get(donor)!)
        slots.get(donor)!.end = end
      }
    })
  })
  return slots
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
  return slots.length <= manySlots ? placeBySize(slots) : placeInOrder(slots)
}

/**
 * The largest first, each at the lowest offset that is free while it is in use. Comes within a few percent of the least
 * that is possible ("greedy by size": Pisarchyk & Lee, "Efficient memory management for deep neural net inference", 2020).
 */
function placeBySize(slots: readonly Slot[]): number {
  const placed: Slot[] = []
  let arenaBytes = 0
  for (const slot of slots.toSorted((a, b) => b.bytes - a.bytes)) {
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
