/** Files that `torch.load` of Python reads. */
import { checkFunction } from '../base/arguments.ts'
import { expected } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { writeAtomically } from '../files/atomic.ts'
import { chunks, inPieces, type Writing } from '../files/content.ts'
import { checkPath } from '../files/file-error.ts'
import { encode, type StoredFloat, type StoredName, storedBytes, storedFloats, typeToWrite } from '../files/stored.ts'
import { type Written, writeZip } from '../files/zip.ts'
import type { StateDict } from '../tensor/state-dict.ts'
import { evaluate, type Tensor } from '../tensor/tensor.ts'
import { Variable } from '../tensor/variable.ts'
import { pickle } from './pickle.ts'
import type { TorchValue } from './plain.ts'

export interface SaveOptions {
  /** What floats are stored as, rounded to the nearest; as they are unless given. Integers and truths stay what they are. */
  dtype?: StoredFloat
}

const saveOptions: OptionTypes<SaveOptions> = { dtype: storedFloats }

/** What is saved: a model or whatever else has a `stateDict`, or plain data with tensors in it. */
export type Saveable = { stateDict(): StateDict } | TorchValue

/** A zip file of more has numbers of 64 bits. */
const maxBytes = 2 ** 32 - 1
const maxTensors = 2 ** 16 - 10
/** Of a member of the archive, its two headers and the space before its bytes. */
const headerBytes = 400
/** PyTorch maps tensors into memory at such places. */
const alignment = 64

/**
 * Writes a model's `stateDict`, or tensors and plain data in objects and arrays, as PyTorch does: `torch.load(path, weights_only=True)` reads it. As in PyTorch
 * what is saved comes first, and the path after it. A tensor that is there several times is stored once. The file is written in the same safe way as
 * by `save`: it is there whole or as it was.
 *
 * PyTorch calls it `torch.save`.
 *
 * @throws (rejects with) TypeError for what is neither a tensor nor plain data, with the keys that lead to it; RangeError for more than 4 GiB; Error
 * with the `code` of the file system
 *
 * @example
 * await torch.save(model, 'model.pt')
 * await torch.save({ epoch: 3, model: model.stateDict(), optimizer: optimizer.stateDict() }, 'checkpoint.pt')
 */
export async function save(from: Saveable, path: string, options?: SaveOptions, ...surplus: unknown[]): Promise<void> {
  const { dtype } = checkOptions('torch.save', options, saveOptions, surplus)
  const file = checkPath('torch.save', path)
  const storages = new Map<Tensor, { value: Tensor; key: string; type: StoredName }>()
  const bytes = pickle('torch.save', savedOf(from), (tensor) => {
    const { value, key, type } = storages.get(tensor) ?? {
      value: tensor instanceof Variable ? tensor.value : tensor,
      key: String(storages.size),
      type: typeToWrite(tensor.dtype, dtype),
    }
    storages.set(tensor, { value, key, type })
    return { type, shape: value.shape, size: value.size, key }
  })
  const members = [
    inMemory('data.pkl', bytes),
    inMemory('byteorder', Buffer.from('little')),
    ...Array.from(storages.values(), ({ value, key, type }): Written => {
      return { name: `archive/data/${key}`, size: value.size * storedBytes(type), chunks: chunks(writing(value, type)) }
    }),
    inMemory('version', Buffer.from('3\n')),
  ]
  const total = members.reduce((sum, { size }) => sum + size + headerBytes, 0)
  if (total > maxBytes || storages.size > maxTensors)
    throw new RangeError(
      expected(
        'torch.save',
        `at most ${maxBytes} bytes and ${maxTensors} tensors (g.save has no such limits)`,
        `${total} bytes and ${storages.size} tensors`,
      ),
    )
  await evaluate(...Array.from(storages.values(), ({ value }) => value))
  await writeAtomically('torch.save', file, writeZip(members, alignment))
}

function savedOf(from: Saveable): unknown {
  if (typeof from !== 'object' || from === null || !('stateDict' in from)) return from
  // A checkpoint may have something of that name.
  if (Object.hasOwn(from, 'stateDict') && typeof from.stateDict !== 'function') return from
  checkFunction('torch.save', 'stateDict to be a function', from.stateDict)
  return (from as { stateDict(): StateDict }).stateDict()
}

const inMemory = (name: string, bytes: Uint8Array): Written => ({
  name: `archive/${name}`,
  size: bytes.length,
  chunks: (async function* () {
    yield bytes
  })(),
})

function* writing(value: Tensor, type: StoredName): Writing {
  for (const part of inPieces(value)) yield encode(yield part, value.dtype, type)
}
