/** How many parts a message of protobuf has, told from its bytes before they become objects. */
import { type DescMessage, ScalarType } from '@bufbuild/protobuf'
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire'

/**
 * Whether it has more than so many fields, in messages within it too: a number of one byte, or a message of two, becomes an object of up to a hundred.
 * @throws an error of the reader for bytes that are no message
 */
export const hasMoreParts = (schema: DescMessage, bytes: Uint8Array, most: number): boolean =>
  partsLeft(within(schema), bytes, most) < 0

/** What a field of a message is, by its number. */
type Within = (number: number) => Within | 'numbers' | 'bytes'

function within(schema: DescMessage): Within {
  return (number) => {
    const field = schema.fields.find((field) => field.number === number)
    if (field?.message) {
      const inner = within(field.message)
      return field.fieldKind === 'map' ? (number) => (number === 2 ? inner : 'bytes') : inner
    }
    const isText = field?.scalar === ScalarType.STRING || field?.scalar === ScalarType.BYTES
    return field?.fieldKind === 'list' && !isText ? 'numbers' : 'bytes'
  }
}

/** What is left of `most` when they are counted, negative where there are more. */
function partsLeft(fields: Within, bytes: Uint8Array, most: number): number {
  const reader = new BinaryReader(bytes)
  let left = most
  while (reader.pos < reader.len && left >= 0) {
    const [number, type] = reader.tag()
    left--
    if (type !== WireType.LengthDelimited) reader.skip(type, number)
    else {
      const [field, part] = [fields(number), reader.bytes()]
      if (field === 'numbers') left -= part.length
      else if (field !== 'bytes') left = partsLeft(field, part, left)
    }
  }
  return left
}
