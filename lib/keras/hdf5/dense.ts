/** Large groups of the newer kind: their links stand in a fractal heap, and a B-tree of version 2 says where. */
import type { Bytes } from './bytes.ts'

interface Heap {
  readonly idBytes: number
  readonly width: number
  readonly startBytes: number
  readonly maxDirectBytes: number
  readonly offsetBytes: number
  readonly lengthBytes: number
  readonly root: number
  /** Rows of the root where it is a table of blocks; 0 where it is a block. */
  readonly rows: number
  /** Bytes before the objects of a block. */
  readonly blockHeader: number
}

/** Where the link messages are. */
export function* denseLinks(file: Bytes, heapAt: number, treeAt: number): Generator<number, void> {
  const heap = readHeap(file, heapAt)
  // A record of the index of names is a hash and the identity of an object in the heap.
  for (const record of recordsOf(file, treeAt)) yield placeOf(file, heap, record + 4)
}

const bytesFor = (value: number): number => Math.ceil((Math.floor(Math.log2(value)) + 1) / 8)

function readHeap(file: Bytes, at: number): Heap {
  file.signature(at, 'FRHP')
  if (file.uint16(at + 7) > 0) file.fail('a heap without filters', 'one with them')
  const hasSums = (file.uint8(at + 9) & 2) !== 0
  const maxManaged = file.uint32(at + 10)
  const [width, startBytes] = [file.uint16(at + 110), file.uint64(at + 112)]
  const [maxDirectBytes, maxHeapBits] = [file.uint64(at + 120), file.uint16(at + 128)]
  const root = file.address(at + 132)
  if (root === null || width === 0 || startBytes === 0 || maxDirectBytes < startBytes || maxHeapBits > 64)
    return file.fail('a heap with links', 'none')
  const offsetBytes = Math.ceil(maxHeapBits / 8)
  return {
    ...{ idBytes: file.uint16(at + 5), width, startBytes, maxDirectBytes, offsetBytes, root },
    lengthBytes: bytesFor(Math.max(1, Math.min(maxDirectBytes, maxManaged))),
    rows: file.uint16(at + 140),
    blockHeader: 13 + offsetBytes + (hasSums ? 4 : 0),
  }
}

function littleEndian(file: Bytes, at: number, bytes: number): number {
  let value = 0
  for (let i = bytes - 1; i >= 0; i--) value = value * 256 + file.uint8(at + i)
  return value
}

/** Where the object of an identity is: offsets count through all blocks. */
function placeOf(file: Bytes, heap: Heap, id: number): number {
  if ((file.uint8(id) & 0x30) !== 0) file.fail('links in the blocks of a heap', 'others')
  const offset = littleEndian(file, id + 1, heap.offsetBytes)
  if (heap.rows === 0) return blockPlace(file, heap, { at: heap.root, offset, size: heap.startBytes })
  file.signature(heap.root, 'FHIB')
  let start = 0
  for (let row = 0; row < heap.rows; row++) {
    const size = heap.startBytes * 2 ** Math.max(row - 1, 0)
    if (size > heap.maxDirectBytes) return file.fail('a group of fewer links', `${heap.rows} rows of them`)
    if (offset < start + size * heap.width) {
      const column = Math.floor((offset - start) / size)
      const at = file.address(heap.root + 13 + heap.offsetBytes + 8 * (row * heap.width + column))
      if (at === null) return file.fail('a block of links', 'none')
      return blockPlace(file, heap, { at, offset: offset - start - column * size, size })
    }
    start += size * heap.width
  }
  return file.fail('a link within its heap', `one at ${offset}`)
}

function blockPlace(
  file: Bytes,
  heap: Heap,
  { at, offset, size }: { at: number; offset: number; size: number },
): number {
  file.signature(at, 'FHDB')
  if (offset < heap.blockHeader || offset >= size) file.fail('a link within its block', `one at ${offset}`)
  return at + offset
}

/** The records of a B-tree of version 2, each node of which is met once. */
function* recordsOf(file: Bytes, at: number): Generator<number, void> {
  file.signature(at, 'BTHD')
  if (file.uint8(at + 5) !== 5) file.fail('a tree of names', `one of kind ${file.uint8(at + 5)}`)
  const [nodeBytes, recordBytes, depth] = [file.uint32(at + 6), file.uint16(at + 10), file.uint16(at + 12)]
  const [root, rootRecords] = [file.address(at + 16), file.uint16(at + 24)]
  if (root === null) return
  if (depth > 1 || recordBytes < 5 || nodeBytes < recordBytes + 10)
    file.fail('a tree of names of at most two levels', `${depth + 1}`)
  if (depth === 0) return yield* leafRecords(file, root, rootRecords, recordBytes)
  file.signature(root, 'BTIN')
  for (let i = 0; i < rootRecords; i++) yield root + 6 + i * recordBytes
  const countBytes = bytesFor(Math.floor((nodeBytes - 10) / recordBytes))
  const children = root + 6 + rootRecords * recordBytes
  const seen = new Set<number>()
  for (let i = 0; i <= rootRecords; i++) {
    const child = children + i * (8 + countBytes)
    const leaf = file.uint64(child)
    if (seen.has(leaf)) file.fail('each node of a tree once', `that at ${leaf} again`)
    seen.add(leaf)
    yield* leafRecords(file, leaf, littleEndian(file, child + 8, countBytes), recordBytes)
  }
}

function* leafRecords(file: Bytes, at: number, count: number, recordBytes: number): Generator<number, void> {
  file.signature(at, 'BTLF')
  file.check(at + 6, count * recordBytes)
  for (let i = 0; i < count; i++) yield at + 6 + i * recordBytes
}
