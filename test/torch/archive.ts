/** Archives as `torch.save` writes them, of a pickle and files that a test says. */
import { crc32 } from 'node:zlib'

/** The bytes of a zip file without compression; null is no pickle and no version. */
export function archiveOf(pickle: Uint8Array | null, files: Record<string, Uint8Array> = {}): Buffer {
  const ofPickle = pickle === null ? {} : { 'data.pkl': pickle, version: Buffer.from('3\n') }
  const local: Buffer[] = []
  const directory: Buffer[] = []
  let at = 0
  for (const [name, bytes] of Object.entries({ ...ofPickle, ...files })) {
    const path = Buffer.from(`archive/${name}`)
    const numbers = Buffer.alloc(26)
    numbers.writeUInt16LE(20, 0)
    numbers.writeUInt32LE(crc32(bytes), 10)
    numbers.writeUInt32LE(bytes.length, 14)
    numbers.writeUInt32LE(bytes.length, 18)
    numbers.writeUInt16LE(path.length, 22)
    local.push(Buffer.from('PK\x03\x04'), numbers, path, Buffer.from(bytes))
    const place = Buffer.alloc(14)
    place.writeUInt32LE(at, 10)
    directory.push(Buffer.from('PK\x01\x02\x14\0'), numbers, place, path)
    at += 30 + path.length + bytes.length
  }
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06')
  end.writeUInt16LE(directory.length / 4, 8)
  end.writeUInt16LE(directory.length / 4, 10)
  end.writeUInt32LE(Buffer.concat(directory).length, 12)
  end.writeUInt32LE(at, 16)
  return Buffer.concat([...local, ...directory, end])
}
