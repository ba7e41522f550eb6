/** Tensors as PyTorch has them, by an offset and strides in a storage, read by their positions. */
import { DataFormatError, expected } from '../base/errors.ts'
import { denseStrides, formatShape, maxElements, maxExtent, maxRank, type Shape, sizeOf } from '../base/shape.ts'
import type { Reading } from '../files/source.ts'
import { type LoadDType, storedBytes } from '../files/stored.ts'
import { readTensor } from '../files/tensor-file.ts'
import { arange, zeros } from '../tensor/creation.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Archive } from './archive.ts'
import { bytesOf } from './names.ts'
import { type PickledTensor, shortened } from './pickled.ts'

/** What an archive is asked for, and the path to the first place where it is. */
export interface Found {
  readonly tensor: PickledTensor
  readonly path: string
}

const fail = (file: string, path: string, what: string, got: string): never => {
  throw new DataFormatError(`${expected('torch', `${nameOf(path)} ${what}`, got)} (${file})`)
}

const nameOf = (path: string): string => (path === '' ? 'the tensor' : shortened(path))

/** Whether its elements lie beside each other in the order of the last axis. */
function isDense({ shape, strides }: PickledTensor): boolean {
  const dense = denseStrides(shape)
  return sizeOf(shape) === 0 || shape.every((extent, axis) => extent === 1 || strides[axis] === dense[axis])
}

/** From its first element to its last there are so many. */
function spanOf({ shape, strides }: PickledTensor): number {
  if (sizeOf(shape) === 0) return 0
  return shape.reduce((span, extent, axis) => span + (extent - 1) * strides[axis]!, 1)
}

/** Views of one storage may have many more elements than the file, which is hardly ever meant: so many bytes for each of the file, and these. */
const bytesPerByte = 16
const bytesBeside = 2 ** 26
/** Of the indices of elements that do not lie beside each other. */
const indexBytes = 4

/** @throws DataFormatError for tensors that are none, or that are too much for the file that they are in */
export function checkTensors(file: string, size: number, found: Iterable<Found>): void {
  const most = bytesPerByte * size + bytesBeside
  let total = 0
  for (const { tensor, path } of found) {
    const { shape, type } = tensor
    if (shape.length > maxRank || shape.some((extent) => extent > maxExtent) || sizeOf(shape) > maxElements)
      fail(file, path, `to have at most ${maxRank} axes and ${maxElements} elements`, formatShape(shape))
    const bytes = storedBytes(type)
    total += sizeOf(shape) * bytes
    if (!isDense(tensor)) total += spanOf(tensor) * bytes + sizeOf(shape) * indexBytes
    if (total > most) fail(file, path, `and what is before it to be at most ${most} bytes of tensors`, `${total}`)
  }
}

/** The tensor, not computed yet where it was read in pieces or by strides. */
export function* readStrided(
  op: string,
  { file, bigEndian, storage }: Archive,
  { tensor, path }: Found,
  dtype: LoadDType | undefined,
): Reading<Tensor> {
  const { type, shape, offset } = tensor
  const [start, end] = yield* storage(tensor.storage.key)
  if (end - start !== bytesOf(tensor.storage))
    fail(file, path, `in a storage of ${bytesOf(tensor.storage)} bytes, as data.pkl has it`, `one of ${end - start}`)
  const [bytes, span] = [storedBytes(type), spanOf(tensor)]
  const from = start + (span === 0 ? 0 : offset * bytes)
  const to = from + span * bytes
  if (to > end) fail(file, path, `inside its storage of ${end - start} bytes`, `an end at ${to - start}`)
  const dense = isDense(tensor)
  if (!dense && span > maxElements) fail(file, path, `to lie within ${maxElements} elements`, `${span}`)
  const entry = { name: nameOf(path), type, shape: dense ? shape : [span], start: from, end: to, bigEndian }
  const elements = yield* readTensor(op, entry, dtype)
  return dense ? elements : elements.gather(places(shape, tensor.strides))
}

/** Where each element is: Σ iₐ·strideₐ over the axes a. */
const places = (shape: Shape, strides: Shape): Tensor =>
  shape.reduce(
    (sum, extent, axis) => {
      if (extent === 1) return sum
      const along = shape.map((_, i) => (i === axis ? extent : 1))
      return sum.add(arange(0, extent, { dtype: 'int32' }).mul(strides[axis]!).reshape(along))
    },
    zeros(shape, { dtype: 'int32' }),
  )
