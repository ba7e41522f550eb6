/** Offsets in one block of scratch memory: best fit among the holes, which merge with their neighbours when freed. */
import { elementAt } from '../base/lists.ts'
import { arenaAlignment } from './program.ts'

interface Hole {
  readonly offset: number
  readonly size: number
}

/** What a value of so many bytes takes: at least a line, so that no two values begin at the same place. */
export const alignUp = (bytes: number): number => Math.max(1, Math.ceil(bytes / arenaAlignment)) * arenaAlignment

export class Arena {
  /** In ascending order of offset, never adjacent. */
  private readonly holes: Hole[] = []
  /** The size the block must have. */
  bytes = 0

  allocate(size: number): number {
    let best = -1
    this.holes.forEach((hole, i) => {
      if (hole.size >= size && (best < 0 || hole.size < elementAt(this.holes, best).size)) best = i
    })
    if (best < 0) return this.grow(size)
    const { offset, size: found } = elementAt(this.holes, best)
    if (found === size) this.holes.splice(best, 1)
    else this.holes[best] = { offset: offset + size, size: found - size }
    return offset
  }

  /** Takes memory at the end, the last hole included where it touches the end. */
  private grow(size: number): number {
    const last = this.holes.at(-1)
    const offset = last && last.offset + last.size === this.bytes ? this.holes.pop()!.offset : this.bytes
    this.bytes = offset + size
    return offset
  }

  free(offset: number, size: number): void {
    let [start, end] = [offset, offset + size]
    const index = this.firstHoleAfter(offset)
    const [before, after] = [this.holes[index - 1], this.holes[index]]
    let [from, count] = [index, 0]
    if (before && before.offset + before.size === start) {
      start = before.offset
      from = index - 1
      count = 1
    }
    if (after && after.offset === end) {
      end += after.size
      count++
    }
    this.holes.splice(from, count, { offset: start, size: end - start })
  }

  private firstHoleAfter(offset: number): number {
    let [low, high] = [0, this.holes.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (elementAt(this.holes, middle).offset > offset) high = middle
      else low = middle + 1
    }
    return low
  }
}
