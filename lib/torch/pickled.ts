/** What a pickle of PyTorch holds: plain data of Python, and of PyTorch the few things that stand for tensors. */
import type { Shape } from '../base/shape.ts'
import type { StoredName } from '../files/stored.ts'

/** Lists are arrays, dictionaries are maps: texts and integers alone are keys of theirs. */
export type Pickled =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Pickled[]
  | Tuple
  | Dictionary
  | Callable
  | StorageType
  | PickledDType
  | PickledStorage
  | PickledTensor

export type Dictionary = Map<string, Pickled>

/** A list that does not change. */
export class Tuple {
  constructor(readonly items: readonly Pickled[]) {}
}

/** A function or class of the names that are allowed; `call` is what it means here, and nothing of Python. */
export class Callable {
  constructor(
    readonly name: string,
    readonly call: (args: readonly Pickled[]) => Pickled | undefined,
  ) {}
}

/** A class of storages; null for that of bytes, whose tensors say their type themselves. */
export class StorageType {
  constructor(readonly type: StoredName | null) {}
}

/** `torch.float32` and such; null for a type that has no name in files of tensors. */
export class PickledDType {
  constructor(
    readonly name: string,
    readonly type: StoredName | null,
  ) {}
}

/** Elements, or bytes where the type is null, that are in a file of the archive of their own. */
export class PickledStorage {
  constructor(
    readonly type: StoredName | null,
    readonly key: string,
    readonly length: number,
  ) {}
}

/** Elements of a storage: that at [i, j, …] is at offset + i·strides[0] + j·strides[1] + … */
export class PickledTensor {
  constructor(
    readonly storage: PickledStorage,
    readonly type: StoredName,
    readonly offset: number,
    readonly shape: Shape,
    readonly strides: Shape,
  ) {}

  /** The same for tensors of the same elements. */
  get place(): string {
    return [this.storage.key, this.type, this.offset, this.shape, this.strides].join(';')
  }
}

/** What a value is, for a message. */
export function kindOf(value: Pickled | undefined): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'None'
  if (typeof value === 'string') return JSON.stringify(shortened(value))
  if (typeof value !== 'object') return shortened(String(value))
  if (value instanceof Callable) return value.name
  if (value instanceof PickledDType) return `torch.${value.name}`
  if (value instanceof PickledTensor) return 'a tensor'
  if (value instanceof PickledStorage || value instanceof StorageType) return 'a storage'
  if (value instanceof Uint8Array) return 'bytes'
  return value instanceof Map ? 'a dictionary' : Array.isArray(value) ? 'a list' : 'a tuple'
}

const longest = 100

/** A text of a file, which may be of any length, as a message may have it. */
export const shortened = (text: string): string => (text.length > longest ? `${text.slice(0, longest)}…` : text)
