/** `galvani/numpy`: the files of numpy under the names that numpy has for them. */
import { DataFormatError, expected } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { arrayIn, writeArray } from '../files/npy.ts'
import { arraysIn, writeArrays } from '../files/npz.ts'
import { openSource, type PathOrBytes } from '../files/source.ts'
import { type LoadDType, loadDTypes } from '../files/stored.ts'
import type { StateDict } from '../tensor/state-dict.ts'
import type { Tensor, TensorLike } from '../tensor/tensor.ts'

export interface LoadOptions {
  /** The dtype that arrays become. Unless given, floats become float32, bool and uint8 stay, other integers become int32; `stored` keeps float64. */
  dtype?: LoadDType
}

const loadOptions: OptionTypes<LoadOptions> = { dtype: loadDTypes }

const startsWith = (bytes: Uint8Array, text: string): boolean =>
  Buffer.from(bytes.subarray(0, text.length)).toString('latin1') === text

/**
 * What a `.npy` or `.npz` file holds, or bytes of one, told by how it begins: an array as a tensor of its shape, or arrays by name. numpy's `np.load`, but
 * that all arrays of a `.npz` are read; `loadNpz` of `galvani` reads some. Both orders of bytes and Fortran's order of elements are read.
 *
 * @throws (rejects with) DataFormatError for what is no such file, holds objects or records, or is damaged; RangeError for integers that the dtype does
 * not hold; Error with the `code` of the file system
 *
 * @example
 * const x = await load('features.npy') // a tensor
 * const { images, labels } = await load('mnist.npz') // tensors by name
 */
export async function load<T extends Tensor | StateDict = Tensor & StateDict>(
  from: PathOrBytes,
  options?: LoadOptions,
  ...surplus: unknown[]
): Promise<T> {
  const { dtype } = checkOptions('load', options, loadOptions, surplus)
  const source = await openSource('load', from)
  try {
    const first = await source.read(0, Math.min(6, source.size))
    if (startsWith(first, '\x93NUMPY')) return (await arrayIn('load', source, dtype)) as T
    if (startsWith(first, 'PK')) return (await arraysIn('load', source, dtype, undefined)) as T
    throw new DataFormatError(`${expected('load', 'a .npy or .npz file', 'another one')} (${source.name})`)
  } finally {
    await source.close()
  }
}

/**
 * Writes a tensor as a `.npy` file: numpy's `np.save`, but that no extension is added. It is there whole or as it was.
 * @throws (rejects with) TypeError for what is no tensor; Error with the `code` of the file system
 */
export async function save(path: string, x: TensorLike, ...surplus: unknown[]): Promise<void> {
  await writeArray('save', path, x, surplus)
}

/**
 * Writes tensors by name as a `.npz` file without compression: numpy's `np.savez`, but that no extension is added. It is there whole or as it was.
 *
 * @throws (rejects with) TypeError for what is no record of tensors; RangeError for more than 4 GiB; Error with the `code` of the file system
 *
 * @example
 * await savez('data.npz', { x, y })
 */
export async function savez(
  path: string,
  tensors: Readonly<Record<string, Tensor>>,
  ...surplus: unknown[]
): Promise<void> {
  await writeArrays('savez', path, tensors, surplus)
}
