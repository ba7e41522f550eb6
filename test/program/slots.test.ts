import fc from 'fast-check'
import { expect, test } from 'vitest'
import { alignUp } from '../../lib/program/arena.ts'
import { placeSlots, type Slot } from '../../lib/program/slots.ts'

/** Slots as a program has them: in the order in which they begin. */
const slots = (count: number) =>
  fc
    .array(fc.record({ bytes: fc.nat(5000), begin: fc.nat(count), length: fc.nat(40) }), {
      minLength: count,
      maxLength: count,
    })
    .map((list) =>
      list
        .map(({ bytes, begin, length }): Slot => ({ bytes: alignUp(bytes), begin, end: begin + length, offset: -1 }))
        .sort((a, b) => a.begin - b.begin),
    )

const overlap = (a: Slot, b: Slot): boolean =>
  a.begin <= b.end && b.begin <= a.end && a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes

/** The most bytes that are in use at one time, which is one when a slot begins. */
function mostLive(list: readonly Slot[]): number {
  const liveAt = (t: number) =>
    list.filter(({ begin, end }) => begin <= t && t <= end).reduce((sum, { bytes }) => sum + bytes, 0)
  return Math.max(0, ...list.map(({ begin }) => liveAt(begin)))
}

// A few are placed by size, many in order.
test.each([
  [40, 300, 1.5],
  [2500, 3, 1.5],
])('%i slots never overlap, and are close together', (count, numRuns, factor) => {
  fc.assert(
    fc.property(slots(count), (list) => {
      const bytes = placeSlots(list)
      const isInside = ({ offset, bytes: size }: Slot) => offset % 64 === 0 && offset >= 0 && offset + size <= bytes
      expect(list.filter((slot) => !isInside(slot))).toEqual([])
      const later = (slot: Slot, i: number) => list.slice(i + 1, i + 200).find((other) => overlap(slot, other))
      expect(list.flatMap((slot, i) => later(slot, i) ?? [])).toEqual([])
      expect(bytes).toBeLessThanOrEqual(factor * mostLive(list))
    }),
    { numRuns },
  )
})
