/** Datatypes and dataspaces: what elements are, and how many. */
import type { StoredName } from '../../files/stored.ts'
import type { Bytes } from './bytes.ts'

/** Numbers under the name that safetensors has for them, texts of a fixed length, or texts in the global heap. */
export type Datatype =
  | { readonly kind: 'numbers'; readonly type: StoredName; readonly size: number }
  | { readonly kind: 'text'; readonly size: number }
  | { readonly kind: 'heapText'; readonly size: 16 }

const classes = { integer: 0, float: 1, text: 3, enumeration: 8, variable: 9 } as const

export function readDatatype(file: Bytes, at: number): Datatype {
  const kind = file.uint8(at) & 0x0f
  const bits = file.uint8(at + 1)
  const size = file.uint32(at + 4)
  if (kind === classes.text) return { kind: 'text', size }
  if (kind === classes.variable && (bits & 0x0f) === 1 && size === 16) return { kind: 'heapText', size }
  // Of an enumeration such as that of truths, the type of its numbers stands first.
  if (kind === classes.enumeration) return readDatatype(file, at + 8)
  const name = numberName(file, at, { kind, bits, size })
  return name === undefined
    ? file.fail('numbers or texts', `a type of class ${kind} and ${size} bytes`)
    : { kind: 'numbers', type: name, size }
}

const integers: Readonly<Record<number, readonly [unsigned: StoredName, signed: StoredName]>> = {
  1: ['U8', 'I8'],
  2: ['U16', 'I16'],
  4: ['U32', 'I32'],
  8: ['U64', 'I64'],
}
const floats: Readonly<Record<string, StoredName>> = { '2/5': 'F16', '2/8': 'BF16', '4/8': 'F32', '8/11': 'F64' }

function numberName(
  file: Bytes,
  at: number,
  { kind, bits, size }: { kind: number; bits: number; size: number },
): StoredName | undefined {
  const isBigEndian = (bits & 1) === 1 && size > 1
  if (isBigEndian) file.fail('little-endian numbers', 'big-endian ones')
  if (kind === classes.integer) return integers[size]?.[(bits >> 3) & 1]
  // By the bits of the exponent.
  return kind === classes.float ? floats[`${size}/${file.uint8(at + 13)}`] : undefined
}

/** Extents; none of them for one element. */
export function readDataspace(file: Bytes, at: number): number[] {
  const version = file.uint8(at)
  const rank = file.uint8(at + 1)
  if (version !== 1 && version !== 2) file.fail('a dataspace of version 1 or 2', String(version))
  const isNull = version === 2 && file.uint8(at + 3) === 2
  if (isNull) return [0]
  const first = at + (version === 1 ? 8 : 4)
  return Array.from({ length: rank }, (_, i) => file.uint64(first + 8 * i))
}
