/** Object headers of both versions: the messages that say what an object is. */
import type { Bytes } from './bytes.ts'

export interface Message {
  readonly type: number
  readonly at: number
  readonly size: number
}

export const messageTypes = {
  dataspace: 1,
  linkInfo: 2,
  datatype: 3,
  link: 6,
  layout: 8,
  filters: 11,
  attribute: 12,
  continuation: 16,
  symbolTable: 17,
  attributeInfo: 21,
} as const

const isShared = 2

/** The messages of the header at a place; continuations are followed, each once. */
export function readMessages(file: Bytes, at: number): Message[] {
  const first = file.uint8(at)
  if (first === 1) return messagesOf(file, [at + 16, file.uint32(at + 8)], { v2: false, order: 0 })
  file.signature(at, 'OHDR')
  const flags = file.uint8(at + 5)
  if (file.uint8(at + 4) !== 2) file.fail('an object header of version 1 or 2', String(file.uint8(at + 4)))
  const sizeAt = at + 6 + (flags & 0x20 ? 16 : 0) + (flags & 0x10 ? 4 : 0)
  const sizeBytes = 1 << (flags & 3)
  const block: Block = [sizeAt + sizeBytes, file.unsigned(sizeAt, sizeBytes)]
  return messagesOf(file, block, { v2: true, order: flags & 4 ? 2 : 0 })
}

type Block = readonly [at: number, size: number]

function messagesOf(file: Bytes, first: Block, { v2, order }: { v2: boolean; order: number }): Message[] {
  const messages: Message[] = []
  const blocks: Block[] = [first]
  const seen = new Set([first[0]])
  const headerBytes = v2 ? 4 + order : 8
  for (const [start, size] of blocks) {
    file.check(start, size)
    for (let at = start; at + headerBytes <= start + size; ) {
      const type = v2 ? file.uint8(at) : file.uint16(at)
      const bytes = file.uint16(at + (v2 ? 1 : 2))
      const flags = file.uint8(at + (v2 ? 3 : 4))
      const data = at + headerBytes
      at = data + bytes
      if (at > start + size) file.fail('messages within their header', `one of ${bytes} bytes at ${data}`)
      if (type === messageTypes.continuation) addBlock(file, data, v2, blocks, seen)
      else if (isRead.has(type)) {
        if (flags & isShared) file.fail('messages that are not shared', `one at ${data}`)
        messages.push({ type, at: data, size: bytes })
      }
    }
  }
  return messages
}

const isRead: ReadonlySet<number> = new Set(Object.values(messageTypes))

function addBlock(file: Bytes, at: number, v2: boolean, blocks: Block[], seen: Set<number>): void {
  const [start, size] = [file.uint64(at), file.uint64(at + 8)]
  if (seen.has(start)) file.fail('each block of a header once', `that at ${start} again`)
  seen.add(start)
  if (!v2) {
    blocks.push([start, size])
    return
  }
  file.signature(start, 'OCHK')
  // The letters stand before the messages, and a sum behind them.
  blocks.push([start + 4, size - 8])
}
