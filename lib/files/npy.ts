/**
 * Arrays in numpy's format NPY, as https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html defines it: a magic string, a version, the
 * length of a header, a Python dictionary in text, then the elements. Objects, which numpy keeps as pickles, are not read.
 */
import { DataFormatError, DTypeError, expected } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { checkShape, type Shape, sizeOf } from '../base/shape.ts'
import { evaluate, type Tensor, type TensorLike, toTensor } from '../tensor/tensor.ts'
import { Variable } from '../tensor/variable.ts'
import { writeAtomically } from './atomic.ts'
import { chunks, inPieces, type Writing } from './content.ts'
import { checkPath } from './file-error.ts'
import type { Entry } from './safetensors-header.ts'
import { openSource, type PathOrBytes, type Reading, readIn, type Source } from './source.ts'
import { encode, type LoadDType, loadDTypes, type StoredName, storedBytes, typeToWrite } from './stored.ts'
import { readTensor } from './tensor-file.ts'

export interface LoadNpyOptions {
  /** The dtype that it becomes; unless given, floats become float32, all integers but uint8 int32. `stored` keeps float64. */
  dtype?: LoadDType
}

const loadNpyOptions: OptionTypes<LoadNpyOptions> = { dtype: loadDTypes }

const magic = Uint8Array.of(0x93, ...Buffer.from('NUMPY'))
/** numpy itself reads no more of a header that it does not trust. */
const maxHeaderBytes = 2 ** 16
const alignment = 64

/** What numpy calls types, without the order of bytes. */
const types: Readonly<Record<string, StoredName>> = {
  b1: 'BOOL',
  i1: 'I8',
  u1: 'U8',
  i2: 'I16',
  u2: 'U16',
  f2: 'F16',
  i4: 'I32',
  u4: 'U32',
  f4: 'F32',
  i8: 'I64',
  u8: 'U64',
  f8: 'F64',
}

/** An array in a file: where it is, and whether its first axis is the one whose elements lie beside each other. */
export interface NpyArray {
  readonly entry: Entry
  readonly isFortran: boolean
}

/** @throws DataFormatError for whatever is not as the format says */
export function* readNpyHeader(name: string, size: number): Reading<NpyArray> {
  const fail = (what: string, got: string): never => {
    throw new DataFormatError(`${expected('npy', what, got)} (${name})`)
  }
  const firstBytes = 10
  if (size < firstBytes) fail(`at least ${firstBytes} bytes`, `${size}`)
  const first: Uint8Array = yield [0, Math.min(size, firstBytes + 2)]
  if (!magic.every((byte, i) => first[i] === byte)) fail('a file that begins with \\x93NUMPY', 'another one')
  const version = first[6]!
  if (version < 1 || version > 3) fail('version 1, 2 or 3', `${version}`)
  const start = version === 1 ? firstBytes : firstBytes + 2
  const view = new DataView(first.buffer, first.byteOffset, first.length)
  if (first.length < start) fail(`at least ${start} bytes`, `${size}`)
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true)
  if (length > maxHeaderBytes) fail(`a header of at most ${maxHeaderBytes} bytes`, `${length}`)
  const end = start + length
  if (end > size) fail(`a header of ${length} bytes`, `${size - start} bytes`)
  const { descr, fortran_order, shape } = readDictionary(Buffer.from(yield [start, end]).toString('latin1'), fail)
  const [, order = '', code = ''] = /^([<>=|]?)(\w+)$/.exec(descr) ?? []
  const type = Object.hasOwn(types, code) ? types[code]! : fail(`a dtype of ${Object.keys(types).join(', ')}`, descr)
  const bytes = sizeOf(shape) * storedBytes(type)
  if (end + bytes !== size)
    fail(`${bytes} bytes of elements, as [${shape.join(', ')}] of ${descr} has`, `${size - end}`)
  const entry = {
    name: 'the array',
    type,
    shape,
    start: end,
    end: size,
    bigEndian: order === '>' && storedBytes(type) > 1,
  }
  return { entry, isFortran: fortran_order && shape.length > 1 }
}

interface Dictionary {
  readonly descr: string
  readonly fortran_order: boolean
  readonly shape: Shape
}

type Fail = (what: string, got: string) => never

/** A member of a dictionary as Python prints it: a text, a truth or a tuple of integers. */
const member = /\s*'(\w+)'\s*:\s*(?:'([^']*)'|(True|False)|\(([\dL,\s]*)\))\s*(,|$)/y

function readDictionary(text: string, fail: Fail): Dictionary {
  const inside =
    /^\s*\{(.*)\}\s*$/s.exec(text)?.[1]?.trimEnd() ?? fail('a dictionary as header', JSON.stringify(text.slice(0, 40)))
  let descr: string | undefined
  let fortran: boolean | undefined
  let shape: Shape | undefined
  for (let at = 0; at < inside.length; at = member.lastIndex) {
    member.lastIndex = at
    const found = member.exec(inside)
    if (found === null)
      fail('descr, fortran_order and shape of an array without fields', JSON.stringify(inside.slice(at, at + 40)))
    const [, name, string, truth, tuple] = found!
    if (name === 'descr' && string !== undefined && descr === undefined) descr = string
    else if (name === 'fortran_order' && truth !== undefined && fortran === undefined) fortran = truth === 'True'
    else if (name === 'shape' && tuple !== undefined && shape === undefined) shape = shapeIn(tuple, fail)
    else fail('descr, fortran_order and shape, each once', `${name}`)
  }
  if (descr === undefined || fortran === undefined || shape === undefined)
    return fail('descr, fortran_order and shape', 'fewer')
  return { descr, fortran_order: fortran, shape }
}

function shapeIn(tuple: string, fail: Fail): Shape {
  const extents =
    tuple.trim() === ''
      ? []
      : tuple
          .replace(/,\s*$/, '')
          .split(',')
          .map((text) => /^\s*(\d{1,16})L?\s*$/.exec(text)?.[1])
  if (extents.some((extent) => extent === undefined)) fail('a tuple of extents', `(${tuple.slice(0, 40)})`)
  try {
    return checkShape('npy', extents.map(Number))
  } catch (error) {
    return fail('a shape that a tensor may have', (error as Error).message)
  }
}

/** The array of a header, not computed yet where it was read in pieces or by columns. */
export function* readNpyArray(
  op: string,
  { entry, isFortran }: NpyArray,
  dtype: LoadDType | undefined,
): Reading<Tensor> {
  if (!isFortran) return yield* readTensor(op, entry, dtype)
  const columns = yield* readTensor(op, { ...entry, shape: entry.shape.toReversed() }, dtype)
  return columns.permute(entry.shape.map((_, axis) => entry.shape.length - 1 - axis))
}

/**
 * The array of a `.npy` file, or of bytes of one: numpy's `np.load`. Floats become float32, uint8 and bool stay, other integers become int32, unless
 * `dtype` says another; arrays in Fortran's order and of the other order of bytes are read too.
 *
 * @throws (rejects with) DataFormatError for what is no such file, holds objects or records, or is cut; RangeError for integers that the dtype does not
 * hold; Error with the `code` of the file system
 *
 * @example
 * const x = await loadNpy('features.npy')
 */
export async function loadNpy(from: PathOrBytes, options?: LoadNpyOptions, ...surplus: unknown[]): Promise<Tensor> {
  const { dtype } = checkOptions('loadNpy', options, loadNpyOptions, surplus)
  const source = await openSource('loadNpy', from)
  try {
    return await arrayIn('loadNpy', source, dtype)
  } finally {
    await source.close()
  }
}

/** The array of a file that is open. */
export async function arrayIn(op: string, source: Source, dtype: LoadDType | undefined): Promise<Tensor> {
  const array = await readIn(source, readNpyHeader(source.name, source.size))
  const [x] = await evaluate(await readIn(source, readNpyArray(op, array, dtype)))
  return x
}

/**
 * Writes a tensor as a `.npy` file, which numpy's `np.load` reads, in the same safe way as `save`: the file is there whole or as it was.
 *
 * @throws (rejects with) TypeError for what is no tensor; Error with the `code` of the file system
 */
export async function saveNpy(path: string, x: TensorLike, ...surplus: unknown[]): Promise<void> {
  await writeArray('saveNpy', path, x, surplus)
}

export async function writeArray(op: string, path: string, x: TensorLike, surplus: readonly unknown[]): Promise<void> {
  checkOptions(op, undefined, {}, surplus)
  const file = checkPath(op, path)
  const value = snapshotOf(op, x)
  await evaluate(value)
  await writeAtomically(op, file, chunks(writeNpy(value)))
}

/** What a tensor or variable holds now. */
export function snapshotOf(op: string, x: TensorLike): Tensor {
  const value = toTensor(op, x)
  return value instanceof Variable ? value.value : value
}

const descriptions: Readonly<Partial<Record<StoredName, string>>> = {
  F32: '<f4',
  F64: '<f8',
  I32: '<i4',
  U8: '|u1',
  BOOL: '|b1',
}

export function* writeNpy(x: Tensor): Writing {
  const type = typeToWrite(x.dtype, undefined)
  yield npyHeader(type, x.shape)
  for (const part of inPieces(x)) yield encode(yield part, x.dtype, type)
}

/** How many bytes the file of a tensor has. */
export function npyBytes(x: Tensor): number {
  const type = typeToWrite(x.dtype, undefined)
  return npyHeader(type, x.shape).length + x.size * storedBytes(type)
}

/** Spaces and a line end fill it, so that elements begin at a multiple of 64 bytes. */
function npyHeader(type: StoredName, shape: Shape): Uint8Array {
  const description = descriptions[type]
  if (description === undefined) throw new DTypeError(expected('npy', 'a dtype that numpy has', type))
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`
  const text = `{'descr': '${description}', 'fortran_order': False, 'shape': ${tuple}, }`
  const start = magic.length + 4
  const length = Math.ceil((start + text.length + 1) / alignment) * alignment - start
  const header = Buffer.alloc(start + length, ' ')
  header.set(magic)
  header.set([1, 0, length & 255, length >> 8], magic.length)
  header.write(text, start, 'latin1')
  header[header.length - 1] = '\n'.charCodeAt(0)
  return header
}
