/** Attributes of objects: texts and lists of texts are read, which is what Keras writes. */
import type { Bytes } from './bytes.ts'
import { type Datatype, readDataspace, readDatatype } from './datatype.ts'

export type Attribute = string | readonly string[] | null

const padded = (size: number): number => Math.ceil(size / 8) * 8

/** The name and the value of an attribute message; null for what is no text. */
export function readAttribute(file: Bytes, at: number): [name: string, value: Attribute] {
  const version = file.uint8(at)
  if (version < 1 || version > 3) file.fail('an attribute of version 1 to 3', String(version))
  if (version > 1 && file.uint8(at + 1) !== 0) file.fail('an attribute with a type of its own', 'a shared one')
  const [nameBytes, typeBytes, spaceBytes] = [file.uint16(at + 2), file.uint16(at + 4), file.uint16(at + 6)]
  const full = version === 1 ? padded : (size: number) => size
  const nameAt = at + (version === 3 ? 9 : 8)
  const typeAt = nameAt + full(nameBytes)
  const spaceAt = typeAt + full(typeBytes)
  const name = file.textUntilZero(nameAt, nameAt + nameBytes)
  const type = readDatatype(file, typeAt)
  const shape = readDataspace(file, spaceAt)
  const dataAt = spaceAt + full(spaceBytes)
  if (type.kind === 'numbers') return [name, isEmpty(shape) ? [] : null]
  const count = shape.reduce((product, extent) => product * extent, 1)
  file.check(dataAt, count * Math.max(type.size, 1))
  const texts = Array.from({ length: count }, (_, i) => textAt(file, type, dataAt + i * type.size))
  return [name, shape.length === 0 ? texts[0]! : texts]
}

/** A list without elements has numbers for its type. */
const isEmpty = (shape: readonly number[]): boolean => shape.includes(0)

function textAt(file: Bytes, type: Datatype, at: number): string {
  if (type.kind === 'text') return file.textUntilZero(at, at + type.size)
  const length = file.uint32(at)
  const [heap, index] = [file.address(at + 4), file.uint32(at + 12)]
  if (heap === null || length === 0) return ''
  const [start, size] = heapObject(file, heap, index)
  return file.text(start, Math.min(length, size))
}

/** Where an object of a collection of the global heap is. */
function heapObject(file: Bytes, heap: number, index: number): [at: number, size: number] {
  file.signature(heap, 'GCOL')
  const end = heap + file.uint64(heap + 8)
  file.check(heap, end - heap)
  for (let at = heap + 16; at + 16 <= end; ) {
    const [found, size] = [file.uint16(at), file.uint64(at + 8)]
    if (found === 0) break
    if (found === index) return [at + 16, size]
    at += 16 + padded(size)
  }
  return file.fail(`object ${index} in the heap at ${heap}`, 'none')
}
