/** What is behind a variable: its present value, which an update replaces or writes over, and what traces see of it. */
import { allocate, type DType } from '../base/dtype.ts'
import type { Shape } from '../base/shape.ts'
import type { Node, Storage } from '../graph/node.ts'
import { newStorage, storageOf } from '../graph/node.ts'
import { leafOf, placeholder } from '../graph/ops/leaf.ts'
import type { StateBinding } from '../runtime/execution.ts'
import { activeTrace, guard, type TracedVariable } from './trace.ts'
import type { Variable } from './variable.ts'

export class Cell {
  /** The node of the value that it holds now, which may be still to be computed where it is the first one. */
  leaf: Node
  frozen = false

  /** What users hold of it. */
  variable!: Variable

  constructor(
    leaf: Node,
    /** As it was made: whether it is a parameter at all, or state that no optimizer touches unless told to. */
    readonly mayLearn: boolean,
    /** Somebody else holds the leaf or its buffer, which must not change any more. */
    private handedOut: boolean,
  ) {
    this.leaf = leaf
    this.claim(leaf)
  }

  get dtype(): DType {
    return this.leaf.dtype
  }

  get shape(): Shape {
    return this.leaf.shape
  }

  /** A compiled function that read it is recorded anew where it has changed. */
  get isFrozen(): boolean {
    return guard(() => this.frozen)
  }

  /** The value as others record it: it is handed out. */
  get node(): Node {
    const trace = activeTrace()
    if (trace !== null) return this.tracedIn(trace.variables).value
    this.handedOut = true
    return this.leaf
  }

  /** The node whose value an evaluation here and now fills and reads: that copies the data, so nothing is handed out. */
  get evaluated(): Node {
    return activeTrace() === null ? this.leaf : this.node
  }

  /** The same for one whose value is read later: it is handed out where the reader has to wait. */
  get awaited(): Node {
    const { storage } = this.leaf
    return storage !== null && storage.pending === null ? this.evaluated : this.node
  }

  tracedIn(variables: Map<Cell, TracedVariable>): TracedVariable {
    let traced = variables.get(this)
    if (traced === undefined) {
      const leaf = placeholder(this.dtype, this.shape, true)
      traced = { leaf, value: leaf }
      variables.set(this, traced)
      this.claim(leaf)
    }
    return traced
  }

  /** Has a leaf lead back to a variable that is trained. There are many more that are not: the state of optimizers. */
  private claim(leaf: Node): void {
    if (this.mayLearn) trainedLeaves.set(leaf, this)
  }

  replaceLeaf(storage: Storage, handedOut: boolean): void {
    this.leaf = leafOf(storage, this.dtype, this.shape, true)
    this.handedOut = handedOut
    this.claim(this.leaf)
  }

  /** Has the value of a leaf, if it is the present one, stay what it is at the next update. */
  keep(leaf: Node): void {
    if (leaf === this.leaf) this.handedOut = true
  }

  /** The buffer a program reads the value from. */
  get storage(): Storage {
    return storageOf(this.leaf)
  }

  /** Where a program reads the old value and writes the new one: the same buffer, unless somebody holds the old one. */
  bindUpdate(): StateBinding {
    const read = this.storage
    if (!this.handedOut) return { read, written: read }
    return { read, written: newStorage(allocate(this.dtype, read.array.length)) }
  }

  /** Takes over what a submitted run writes. */
  commitUpdate({ written }: StateBinding): void {
    if (written !== this.storage) this.replaceLeaf(written, false)
    else written.writes++
  }
}

const trainedLeaves = new WeakMap<Node, Cell>()

/** Which variable that is, or was before it was frozen, a parameter a leaf of a recorded graph is the value of. */
export const trainableOfLeaf = (leaf: Node): Variable | undefined => trainedLeaves.get(leaf)?.variable
