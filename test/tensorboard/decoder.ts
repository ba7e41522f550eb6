/** A decoder of event files of its own, which shares nothing with the library: what is written is read by it. */

/** A field of a message by its number, as often as it stands there: bytes of what is long, or a number. */
export type Fields = ReadonlyMap<number, readonly (Buffer | number)[]>

/** CRC-32C bit by bit. */
function sumOf(bytes: Uint8Array): number {
  let crc = ~0
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  }
  return ~crc >>> 0
}

function unmasked(masked: number): number {
  const rotated = (masked - 0xa282ead8) >>> 0
  return ((rotated << 15) | (rotated >>> 17)) >>> 0
}

export function recordsOf(file: Buffer): Buffer[] {
  const records: Buffer[] = []
  for (let at = 0; at < file.length; ) {
    const length = Number(file.readBigUInt64LE(at))
    const data = file.subarray(at + 12, at + 12 + length)
    if (unmasked(file.readUInt32LE(at + 8)) !== sumOf(file.subarray(at, at + 8))) throw new Error(`length at ${at}`)
    if (unmasked(file.readUInt32LE(at + 12 + length)) !== sumOf(data)) throw new Error(`data at ${at}`)
    records.push(data)
    at += 16 + length
  }
  return records
}

export function fieldsOf(message: Buffer): Fields {
  const fields = new Map<number, (Buffer | number)[]>()
  let at = 0
  const varint = () => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = message[at++]!
      value |= BigInt(byte & 127) << shift
      if (byte < 128) return Number(BigInt.asIntN(64, value))
    }
  }
  const run = (length: number) => {
    at += length
    return message.subarray(at - length, at)
  }
  while (at < message.length) {
    const tag = varint()
    const [number, type] = [tag >> 3, tag & 7]
    const value =
      type === 0 ? varint() : type === 1 ? run(8).readDoubleLE() : type === 5 ? run(4).readFloatLE() : run(varint())
    fields.set(number, [...(fields.get(number) ?? []), value])
  }
  return fields
}

export const messages = (fields: Fields, number: number): Fields[] =>
  (fields.get(number) ?? []).map((bytes) => fieldsOf(bytes as Buffer))

export const message = (fields: Fields, number: number): Fields => messages(fields, number)[0] ?? new Map()

export const number = (fields: Fields, at: number): number => (fields.get(at)?.[0] as number | undefined) ?? 0

export const text = (fields: Fields, at: number): string =>
  (fields.get(at)?.[0] as Buffer | undefined)?.toString() ?? ''

export const packedDoubles = (fields: Fields, at: number): number[] => {
  const bytes = fields.get(at)?.[0] as Buffer
  return Array.from({ length: bytes.length / 8 }, (_, i) => bytes.readDoubleLE(8 * i))
}

export const packedFloats = (fields: Fields, at: number): number[] => {
  const bytes = fields.get(at)?.[0] as Buffer
  return Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i))
}

/** A value of a summary, with the step and the time of its event. */
export interface Value {
  readonly step: number
  readonly time: number
  readonly tag: string
  readonly plugin: string
  readonly fields: Fields
}

export function valuesIn(file: Buffer): Value[] {
  return recordsOf(file).flatMap((record) => {
    const event = fieldsOf(record)
    return messages(message(event, 5), 1).map((fields) => ({
      step: number(event, 2),
      time: number(event, 1),
      tag: text(fields, 1),
      plugin: text(message(message(fields, 9), 1), 1),
      fields,
    }))
  })
}
