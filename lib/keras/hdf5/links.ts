/** The links of a group: the names of the objects in it, and where they are. */
import type { Bytes } from './bytes.ts'
import { denseLinks } from './dense.ts'
import { type Message, messageTypes } from './object-header.ts'

/** Where the header of each object is, by name. Links to other names or files are left out. */
export function readLinks(file: Bytes, messages: readonly Message[]): Map<string, number> {
  const links = new Map<string, number>()
  const add = (name: string, at: number) => {
    if (links.has(name)) file.fail('each name of a group once', `two ${JSON.stringify(name)}`)
    links.set(name, at)
  }
  for (const { type, at } of messages) {
    if (type === messageTypes.symbolTable) symbolTableLinks(file, at, add)
    else if (type === messageTypes.link) readLink(file, at, add)
    else if (type === messageTypes.linkInfo) {
      const heapAt = at + 2 + (file.uint8(at + 1) & 1 ? 8 : 0)
      const [heap, tree] = [file.address(heapAt), file.address(heapAt + 8)]
      if (heap !== null && tree !== null) for (const link of denseLinks(file, heap, tree)) readLink(file, link, add)
    }
  }
  return links
}

type Add = (name: string, at: number) => void

/** A link message, of groups of the newer kind. */
function readLink(file: Bytes, at: number, add: Add): void {
  if (file.uint8(at) !== 1) file.fail('a link of version 1', String(file.uint8(at)))
  const flags = file.uint8(at + 1)
  let next = at + 2
  const isHard = flags & 8 ? file.uint8(next++) === 0 : true
  if (flags & 4) next += 8
  if (flags & 0x10) next += 1
  const lengthBytes = 1 << (flags & 3)
  const length = file.unsigned(next, lengthBytes)
  const name = file.text(next + lengthBytes, length)
  if (isHard) add(name, file.uint64(next + lengthBytes + length))
}

/** Groups of the older kind: a B-tree whose leaves are lists of names in a heap. */
function symbolTableLinks(file: Bytes, at: number, add: Add): void {
  const heap = file.uint64(at + 8)
  file.signature(heap, 'HEAP')
  const [names, namesStart] = [file.uint64(heap + 8), file.uint64(heap + 24)]
  file.check(namesStart, names)
  for (const leaf of leavesOf(file, file.uint64(at))) {
    file.signature(leaf, 'SNOD')
    const count = file.uint16(leaf + 6)
    for (let i = 0; i < count; i++) {
      const entry = leaf + 8 + 40 * i
      const isSoft = file.uint32(entry + 16) === 2
      const offset = file.uint64(entry)
      if (offset >= names) file.fail(`a name within ${names} bytes`, String(offset))
      if (!isSoft) add(file.textUntilZero(namesStart + offset, namesStart + names), file.uint64(entry + 8))
    }
  }
}

/** The leaves of a B-tree of version 1, each node of which is met once. */
function* leavesOf(file: Bytes, root: number): Generator<number, void> {
  const seen = new Set<number>()
  const left = [root]
  for (let at = left.pop(); at !== undefined; at = left.pop()) {
    if (seen.has(at)) file.fail('each node of a tree once', `that at ${at} again`)
    seen.add(at)
    file.signature(at, 'TREE')
    if (file.uint8(at + 4) !== 0) file.fail('a tree of groups', `one of kind ${file.uint8(at + 4)}`)
    const level = file.uint8(at + 5)
    const count = file.uint16(at + 6)
    const children = Array.from({ length: count }, (_, i) => file.uint64(at + 24 + 16 * i + 8))
    if (level > 0) left.push(...children.reverse())
    else for (const child of children) yield* once(file, child, seen)
  }
}

function* once(file: Bytes, at: number, seen: Set<number>): Generator<number, void> {
  if (seen.has(at)) file.fail('each leaf of a tree once', `that at ${at} again`)
  seen.add(at)
  yield at
}
