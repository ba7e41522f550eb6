/** Whole checkpoints of loops of your own. */
import { describe, refuseSurplus } from '../base/arguments.ts'
import { expected } from '../base/errors.ts'
import { checkRecord } from '../base/options.ts'
import { checkPath } from '../files/file-error.ts'
import type { TrainedParameters } from '../optim/parameters.ts'
import { RandomStream } from '../tensor/random.ts'
import { pack, readCheckpoint, writePacked } from './checkpoint-file.ts'

/** What has a state: models, optimizers, callbacks, and what is like them. */
interface Stateful {
  stateDict(parameters?: TrainedParameters): Readonly<Record<string, unknown>>
  loadStateDict(state: never, parameters?: TrainedParameters): unknown
}

const isStateful = (x: unknown): x is Stateful =>
  typeof x === 'object' &&
  x !== null &&
  typeof (x as Partial<Stateful>).stateDict === 'function' &&
  typeof (x as Partial<Stateful>).loadStateDict === 'function'

const isModel = (x: unknown): x is Stateful & TrainedParameters => isStateful(x) && 'namedParameters' in x

/** Optimizers call their state by the names that the model gives, where there is one model alone. */
function parametersFor(part: Stateful, parts: Readonly<Record<string, unknown>>): TrainedParameters[] {
  const models = Object.values(parts).filter(isModel)
  return 'minimize' in part && models.length === 1 ? [models[0]!] : []
}

function stateOf(part: unknown, parts: Readonly<Record<string, unknown>>): unknown {
  if (part instanceof RandomStream) return { seed: part.seed, draws: part.draws }
  return isStateful(part) ? part.stateDict(...parametersFor(part, parts)) : part
}

/**
 * Writes all that a training loop of your own needs to go on, as one file that is there whole or not at all: the states of models,
 * optimizers and random streams, as they are at the call, and beside them tensors, typed arrays and plain values, in lists and by name. Steps may be
 * submitted while it is being written. `fit` and `train` do that by themselves: see `checkpoint` and `resume` of theirs.
 *
 * The file is a safetensors file, of which `load` reads the tensors: `model.0.weight`. (`checkpoint` is something else, the
 * recomputing of what a gradient needs.)
 *
 * @param parts by name: what has `stateDict` and `loadStateDict`, random streams, and values. With one model among them, an optimizer's state
 * has the names of that model's parameters
 * @throws (rejects with) TypeError for what is none of these; Error with the `code` of the file system, and then the file is what it was
 *
 * @example
 * await saveCheckpoint('run.safetensors', { model, optimizer, random, epoch, step })
 */
export async function saveCheckpoint(path: string, parts: Readonly<Record<string, unknown>>, ...surplus: []) {
  refuseSurplus('saveCheckpoint', 2, surplus)
  const file = checkPath('saveCheckpoint', path)
  const given = checkRecord('saveCheckpoint', 'parts by name', parts)
  const states = Object.entries(given).map(([name, part]) => [name, stateOf(part, given)])
  await writePacked(file, pack('saveCheckpoint', Object.fromEntries(states)))
}

/**
 * Takes over what `saveCheckpoint` wrote. Where one part does not fit, none is changed.
 *
 * @param parts by their names there: the models, optimizers and random streams that get their states back
 * @returns all that was saved, the values among it: `{ epoch, step }`
 * @throws (rejects with) DataFormatError for what is no checkpoint; RangeError for a part that it lacks, or a random stream of another
 * seed; and what `loadStateDict` of a part throws
 *
 * @example
 * const { epoch, step } = await restoreCheckpoint('run.safetensors', { model, optimizer, random })
 */
export async function restoreCheckpoint(
  path: string,
  parts: Readonly<Record<string, unknown>> = {},
  ...surplus: []
): Promise<Record<string, unknown>> {
  refuseSurplus('restoreCheckpoint', 2, surplus)
  const file = checkPath('restoreCheckpoint', path)
  const given = { ...checkRecord('restoreCheckpoint', 'parts by name', parts) }
  for (const [name, part] of Object.entries(given))
    if (!(part instanceof RandomStream) && !isStateful(part))
      throw new TypeError(
        expected('restoreCheckpoint', `a model, an optimizer or a random stream as ${name}`, describe(part)),
      )
  const saved = await readCheckpoint('restoreCheckpoint', file)
  const missing = Object.keys(given).filter((name) => !Object.hasOwn(saved, name))
  if (missing.length > 0)
    throw new RangeError(
      expected('restoreCheckpoint', `${missing.join(', ')} in ${file}`, Object.keys(saved).join(', ')),
    )
  restoreAll(given, saved)
  return saved
}

/** All of them or none. */
function restoreAll(parts: Readonly<Record<string, unknown>>, saved: Readonly<Record<string, unknown>>): void {
  const undo: (() => void)[] = []
  try {
    for (const [name, part] of Object.entries(parts)) {
      const before = stateOf(part, parts)
      undo.push(() => restore(name, part, parts, before))
      restore(name, part, parts, saved[name])
    }
  } catch (error) {
    // The last one is as it was, since it threw.
    for (const restoreOne of undo.slice(0, -1).reverse()) restoreOne()
    throw error
  }
}

function restore(name: string, part: unknown, parts: Readonly<Record<string, unknown>>, state: unknown): void {
  if (!(part instanceof RandomStream)) {
    const stateful = part as Stateful
    stateful.loadStateDict(state as never, ...parametersFor(stateful, parts))
    return
  }
  const { seed, draws } = (state ?? {}) as { seed?: unknown; draws?: unknown }
  if (seed !== part.seed)
    throw new RangeError(expected('restoreCheckpoint', `${name} of seed ${describe(seed)}`, `one of ${part.seed}`))
  part.draws = draws as number
}
