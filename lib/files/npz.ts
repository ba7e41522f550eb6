/** Several arrays of numpy in one file: NPZ, a zip file of `.npy` files. */
import { checkList, checkText, describe } from '../base/arguments.ts'
import { DataFormatError, expected } from '../base/errors.ts'
import { checkOptions, checkRecord, type OptionTypes } from '../base/options.ts'
import type { StateDict } from '../tensor/state-dict.ts'
import { evaluate, Tensor } from '../tensor/tensor.ts'
import { writeAtomically } from './atomic.ts'
import { chunks } from './content.ts'
import { checkPath } from './file-error.ts'
import { arrayIn, npyBytes, snapshotOf, writeNpy } from './npy.ts'
import { memorySource, openSource, type PathOrBytes, type Source } from './source.ts'
import { type LoadDType, loadDTypes } from './stored.ts'
import { membersOf, readMember, writeZip } from './zip.ts'

export interface LoadNpzOptions {
  /** The dtype that all arrays become; as of `loadNpy` unless given. */
  dtype?: LoadDType
  /** Only these arrays are read. */
  names?: readonly string[]
}

const loadNpzOptions: OptionTypes<LoadNpzOptions> = { dtype: loadDTypes, names: 'other' }

const extension = '.npy'
/** A zip file of more has numbers of 64 bits. */
const maxBytes = 2 ** 32 - 1

/**
 * The arrays of a `.npz` file by name, or of bytes of one: numpy's `np.load` of what `np.savez` and `np.savez_compressed` wrote.
 *
 * @throws (rejects with) DataFormatError for what is no such file, or is damaged; RangeError for names that are not there, and integers that the dtype does
 * not hold; Error with the `code` of the file system
 *
 * @example
 * const { x, y } = await loadNpz('mnist.npz')
 */
export async function loadNpz(from: PathOrBytes, options?: LoadNpzOptions, ...surplus: unknown[]): Promise<StateDict> {
  const { dtype, names } = checkOptions('loadNpz', options, loadNpzOptions, surplus)
  const source = await openSource('loadNpz', from)
  try {
    return await arraysIn('loadNpz', source, dtype, names)
  } finally {
    await source.close()
  }
}

/** The arrays of a file that is open: those of these names, all unless given. */
export async function arraysIn(
  op: string,
  source: Source,
  dtype: LoadDType | undefined,
  names: readonly string[] | undefined,
): Promise<StateDict> {
  const wanted = names === undefined ? undefined : new Set(checkTexts(op, names))
  const arrays = (await membersOf(source)).filter(({ name }) => name.endsWith(extension))
  const named = new Map(arrays.map((member) => [member.name.slice(0, -extension.length), member]))
  const missing = [...(wanted ?? [])].filter((name) => !named.has(name))
  if (missing.length > 0)
    throw new RangeError(expected(op, `arrays that the file has (${[...named.keys()].join(', ')})`, missing.join(', ')))
  if (named.has('__proto__'))
    throw new DataFormatError(`${expected('npz', 'names other than __proto__', 'it')} (${source.name})`)
  const state: [string, Tensor][] = []
  for (const [name, member] of named) {
    if (wanted !== undefined && !wanted.has(name)) continue
    const bytes = memorySource(op, await readMember(source, member), `${source.name}, ${member.name}`)
    state.push([name, await arrayIn(op, bytes, dtype)])
  }
  return Object.fromEntries(state)
}

const checkTexts = (op: string, names: readonly string[]): string[] =>
  checkList(op, 'a list of names', names).map((name) => checkText(op, 'texts as names', name))

/**
 * Writes tensors by name as a `.npz` file, which numpy's `np.load` reads, in the same safe way as `save`.
 *
 * @throws (rejects with) TypeError for what is no record of tensors; RangeError for more than 4 GiB; Error with the `code` of the file system
 */
export async function saveNpz(
  path: string,
  tensors: Readonly<Record<string, Tensor>>,
  ...surplus: unknown[]
): Promise<void> {
  await writeArrays('saveNpz', path, tensors, surplus)
}

export async function writeArrays(
  op: string,
  path: string,
  tensors: Readonly<Record<string, Tensor>>,
  surplus: readonly unknown[],
): Promise<void> {
  checkOptions(op, undefined, {}, surplus)
  const file = checkPath(op, path)
  const values = Object.entries(checkRecord(op, 'tensors by name', tensors)).map(([name, x]) => {
    if (!(x instanceof Tensor)) throw new TypeError(expected(op, `a tensor as ${name}`, describe(x)))
    return [name, snapshotOf(op, x)] as const
  })
  const bytes = values.reduce((sum, [name, x]) => sum + npyBytes(x) + 3 * name.length + 200, 0)
  if (bytes > maxBytes) throw new RangeError(expected(op, `at most ${maxBytes} bytes (save has no such limit)`, bytes))
  await evaluate(...values.map(([, x]) => x))
  const members = values.map(([name, x]) => ({
    name: name + extension,
    size: npyBytes(x),
    chunks: chunks(writeNpy(x)),
  }))
  await writeAtomically(op, file, writeZip(members))
}
