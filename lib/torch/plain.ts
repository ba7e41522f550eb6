/** Plain data of JavaScript, made of that of Python. */
import { DataFormatError, expected } from '../base/errors.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Archive } from './archive.ts'
import {
  Callable,
  kindOf,
  type Pickled,
  PickledDType,
  PickledStorage,
  PickledTensor,
  StorageType,
  shortened,
  Tuple,
} from './pickled.ts'
import { mostInstructions } from './unpickle.ts'

/** What a file of `torch.save` may hold. */
export type TorchValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Tensor
  | TorchValue[]
  | { [name: string]: TorchValue }

/** A list that is in itself has no end of levels. */
const deepest = 100
/** A value that is fetched again is a tree of its own here: few are fetched often, and those are small. */
const mostValues = mostInstructions

/**
 * The value of an archive.
 * @param leaf what stands for a tensor, given the keys that lead to it, joined by dots; where it is undefined, it is left out of dictionaries, and null in lists
 * @throws DataFormatError for lists that have no end, or are there too often
 */
export function plainOf(
  { file, value }: Archive,
  leaf: (tensor: PickledTensor, path: string) => Tensor | undefined,
): TorchValue {
  let left = mostValues
  const fail = (path: string, what: string, got: string): never => {
    throw new DataFormatError(`${expected('torch', what, got)} at ${shortened(path) || 'the top'} (${file})`)
  }

  function plain(value: Pickled, path: string, depth: number): TorchValue | undefined {
    if (depth > deepest) fail(path, `at most ${deepest} lists and dictionaries in each other`, 'more')
    if (left-- === 0) fail(path, `at most ${mostValues} values`, 'more')
    const inside = (part: Pickled, key: string | number) =>
      plain(part, path === '' ? String(key) : `${path}.${key}`, depth + 1)
    if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
    if (value instanceof PickledTensor) return leaf(value, path)
    if (value instanceof Tuple) return value.items.map((item, i) => inside(item, i) ?? null)
    if (Array.isArray(value)) return value.map((item, i) => inside(item, i) ?? null)
    if (value instanceof PickledDType) return value.name
    if (value instanceof Callable || value instanceof StorageType || value instanceof PickledStorage)
      return fail(path, 'plain data or a tensor', kindOf(value))
    return Object.fromEntries(
      Array.from(value, ([key, part]) => [key, inside(part, key)] as const).filter(
        (entry): entry is [string, TorchValue] => entry[1] !== undefined,
      ),
    )
  }
  return plain(value, '', 0) ?? null
}
