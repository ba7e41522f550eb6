/** CRC-32C, Castagnoli's polynomial, by which event files tell damage; and the masked one that stands in them. */

/** 0x1edc6f41, its bits in reverse. */
const polynomial = 0x82f63b78

let table: Uint32Array | undefined

/** What eight bits become, for each byte. */
function makeTable(): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? polynomial : 0)
    return crc
  })
}

/** From 0 to 2³² − 1; 0xe3069283 of `123456789`. */
export function crc32c(bytes: Uint8Array): number {
  table ??= makeTable()
  let crc = 0xffffffff
  for (let i = 0; i < bytes.length; i++) crc = table[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8)
  return ~crc >>> 0
}

/** So that the sum of bytes that hold sums is no special one (LevelDB's). */
export function maskedCrc32c(bytes: Uint8Array): number {
  const crc = crc32c(bytes)
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}
