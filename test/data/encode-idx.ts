/** The bytes of an IDX file of type uint8; `data` as given, whether or not it is what the shape claims. */
export function encodeIdx(shape: number[], data: ArrayLike<number>): Uint8Array {
  return Uint8Array.from([0, 0, 0x08, shape.length, ...shape.flatMap(bigEndian), ...Array.from(data)])
}

export const bigEndian = (value: number): number[] => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255)
