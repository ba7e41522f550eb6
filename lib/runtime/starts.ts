/** The first values of variables: computed with the first evaluation that needs them, and before it. */
import { zipWith } from '../base/lists.ts'
import { type Node, newStorage, pendingInputs, type Storage, topologicalOrder } from '../graph/node.ts'
import { forgetStart, isUnstarted, startOf } from '../graph/ops/leaf.ts'
import { isFallible } from '../program/signatures.ts'
import { markPending, type Run, submitAsync, submitSync } from './execution.ts'

/** Binds the run that computes some nodes. */
type Bind = (roots: readonly Node[]) => Run

const mayFail = ({ graph: { program } }: Run): boolean =>
  program.instructions.some((instruction) => isFallible(program.values, instruction))

/** Lists of leaves that need no others than those before them, all that the given ones need among them. */
function* startable(leaves: readonly Node[]): Generator<readonly Node[]> {
  const waiting = [leaves]
  for (let last = waiting.at(-1); last !== undefined; last = waiting.at(-1)) {
    // Some of them may be what others of them needed, and have their values by now.
    const left = last.filter(isUnstarted)
    const others = topologicalOrder(left.map(startOf), pendingInputs).filter(isUnstarted)
    if (others.length > 0) waiting.push(others)
    else {
      if (left.length > 0) yield left
      waiting.pop()
    }
  }
}

function adopt(leaves: readonly Node[], { results }: Run): Storage[] {
  return zipWith(leaves, results, (leaf, array) => {
    leaf.storage = newStorage(array)
    return leaf.storage
  })
}

/** Computes what unstarted leaves start from, here and now. */
export function startSync(leaves: readonly Node[], bind: Bind): void {
  for (const list of startable(leaves)) startListSync(list, bind(list.map(startOf)))
}

function startListSync(list: readonly Node[], run: Run): void {
  submitSync(run)
  adopt(list, run)
  list.forEach(forgetStart)
}

/**
 * Has what unstarted leaves start from computed off the event loop. They have their buffers at once: what is submitted later
 * runs later, and settles later. Where data may end the run, nothing that reads its results may be submitted before it has
 * ended, so it takes place here and now.
 */
export function startAsync(leaves: readonly Node[], bind: Bind): Promise<void> {
  let done = Promise.resolve()
  for (const list of startable(leaves)) {
    const run = bind(list.map(startOf))
    if (mayFail(run)) startListSync(list, run)
    else done = startListAsync(list, run)
  }
  return done
}

function startListAsync(list: readonly Node[], run: Run): Promise<void> {
  const done = submitAsync(run)
  const storages = adopt(list, run)
  markPending(storages, done)
  done.then(
    () => list.forEach(forgetStart),
    () => {
      zipWith(list, storages, (leaf, storage) => {
        if (leaf.storage === storage) leaf.storage = null
      })
    },
  )
  return done
}
