/** The names of Python that a file of `torch.save` may have, and what they are here; all others are refused. */
import type { Shape } from '../base/shape.ts'
import { type StoredName, storedBytes } from '../files/stored.ts'
import { Callable, type Pickled, PickledDType, PickledStorage, PickledTensor, StorageType, Tuple } from './pickled.ts'
import type { Meaning } from './unpickle.ts'

/** The classes of storages with elements of one type. */
export const storageTypes = {
  FloatStorage: 'F32',
  DoubleStorage: 'F64',
  HalfStorage: 'F16',
  BFloat16Storage: 'BF16',
  LongStorage: 'I64',
  IntStorage: 'I32',
  ShortStorage: 'I16',
  CharStorage: 'I8',
  ByteStorage: 'U8',
  BoolStorage: 'BOOL',
} as const satisfies Readonly<Record<string, StoredName>>

const dtypes: Readonly<Record<string, StoredName | null>> = {
  float32: 'F32',
  float64: 'F64',
  float16: 'F16',
  bfloat16: 'BF16',
  int64: 'I64',
  int32: 'I32',
  int16: 'I16',
  int8: 'I8',
  uint8: 'U8',
  uint16: 'U16',
  uint32: 'U32',
  uint64: 'U64',
  bool: 'BOOL',
  complex64: 'C64',
  complex128: null,
  float8_e4m3fn: 'F8_E4M3',
  float8_e5m2: 'F8_E5M2',
}

const isCount = (value: Pickled | undefined): value is number => Number.isSafeInteger(value) && (value as number) >= 0

function countsIn(value: Pickled | undefined): Shape | undefined {
  return value instanceof Tuple && value.items.every(isCount) ? (value.items as Shape) : undefined
}

/** A tensor of a storage of elements: (storage, offset, shape, strides, requires_grad, hooks, metadata). */
const rebuildTensor = (args: readonly Pickled[]): Pickled | undefined => {
  const [storage, , , , , , metadata = null] = args
  return storage instanceof PickledStorage && storage.type !== null && metadata === null && args.length <= 7
    ? tensorIn(storage, storage.type, args)
    : undefined
}

/** A tensor of a storage of bytes, with its dtype after the hooks. */
const rebuildOfBytes = (args: readonly Pickled[]): Pickled | undefined => {
  const [storage, , , , , , dtype, metadata = null] = args
  if (!(storage instanceof PickledStorage) || !(dtype instanceof PickledDType)) return undefined
  return dtype.type !== null && metadata === null && args.length <= 8 ? tensorIn(storage, dtype.type, args) : undefined
}

function tensorIn(storage: PickledStorage, type: StoredName, args: readonly Pickled[]): PickledTensor | undefined {
  const [, offset, , , , hooks] = args
  const [shape, strides] = [countsIn(args[2]), countsIn(args[3])]
  if (!isCount(offset) || shape === undefined || strides === undefined || shape.length !== strides.length)
    return undefined
  const hasHooks = !(hooks instanceof Map) || hooks.size > 0
  return hasHooks ? undefined : new PickledTensor(storage, type, offset, shape, strides)
}

/** The text of a device: cpu, or cuda:0. */
const device = (args: readonly Pickled[]): Pickled | undefined => {
  const [type, index] = args
  if (typeof type !== 'string' || args.length > 2) return undefined
  return index === undefined ? type : isCount(index) ? `${type}:${index}` : undefined
}

/** Bytes, which protocol 2 has as a text with a character for each. */
const encode = (args: readonly Pickled[]): Pickled | undefined => {
  const [text, encoding] = args
  if (typeof text !== 'string' || encoding !== 'latin1' || !/^[\0-\xff]*$/.test(text)) return undefined
  return Uint8Array.from(Buffer.from(text, 'latin1'))
}

const callables: Readonly<Record<string, (args: readonly Pickled[]) => Pickled | undefined>> = {
  'collections.OrderedDict': (args) => (args.length === 0 ? new Map() : undefined),
  'torch._utils._rebuild_tensor_v2': rebuildTensor,
  'torch._utils._rebuild_tensor_v3': rebuildOfBytes,
  'torch._utils._rebuild_parameter': ([data]) => (data instanceof PickledTensor ? data : undefined),
  'torch.Size': ([extents]) => countsIn(extents) && extents,
  'torch.device': device,
  '_codecs.encode': encode,
}

const names: ReadonlyMap<string, Pickled> = new Map<string, Pickled>([
  ...Object.entries(callables).map(([name, call]) => [name, new Callable(name, call)] as const),
  ...Object.entries(storageTypes).map(([name, type]) => [`torch.${name}`, new StorageType(type)] as const),
  ['torch.storage.UntypedStorage', new StorageType(null)],
  ...Object.entries(dtypes).map(([name, type]) => [`torch.${name}`, new PickledDType(name, type)] as const),
])

/** A storage: ('storage', its class, the name of its file, the device it was on, how many elements it has). */
function persistent(id: readonly Pickled[]): Pickled | undefined {
  const [kind, type, key, location, length] = id
  if (kind !== 'storage' || !(type instanceof StorageType) || typeof key !== 'string' || typeof location !== 'string')
    return undefined
  return isCount(length) && id.length === 5 ? new PickledStorage(type.type, key, length) : undefined
}

export const meaning: Meaning = { names, persistent }

/** How many bytes a storage takes. */
export const bytesOf = ({ type, length }: PickledStorage): number => length * (type === null ? 1 : storedBytes(type))
