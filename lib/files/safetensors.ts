/** Models and tensors by name, saved and loaded as safetensors. */
import { rmSync } from 'node:fs'
import { basename } from 'node:path'
import { checkInteger, checkList, checkText, refuseSurplus } from '../base/arguments.ts'
import { zipWith } from '../base/lists.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import type { StateDict } from '../tensor/state-dict.ts'
import { evaluate, evaluateSync, type Tensor } from '../tensor/tensor.ts'
import { writeAtomically, writeAtomicallySync } from './atomic.ts'
import {
  type Content,
  chunks,
  chunksSync,
  contentOf,
  joined,
  type Saveable,
  type SerializeOptions,
  serializeOptions,
  valuesIn,
  writing,
} from './content.ts'
import { checkPath } from './file-error.ts'
import { closeParts, openParts, openPartsSync } from './parts.ts'
import { indexPathOf, inShards, removeOthers, shardPaths, writeIndex } from './shards.ts'
import { type PathOrBytes, readIn, readInSync } from './source.ts'
import { type LoadDType, loadDTypes } from './stored.ts'
import { readTensor, TensorFile } from './tensor-file.ts'

export interface SaveOptions extends SerializeOptions {
  /** More bytes of tensors than that are saved in several files, with an index beside them; all in one unless given. */
  maxShardBytes?: number
}

export interface LoadOptions {
  /** The dtype that all tensors become: `float64`, …; or `stored`, by which F64 stays float64 and all else is what it is unless given. */
  dtype?: LoadDType
  /** Only these tensors are read. */
  names?: readonly string[]
}

/** Made when it is first asked for, as another file of the package has a part of it. */
const saveOptions = (): OptionTypes<SaveOptions> => ({ ...serializeOptions, maxShardBytes: 'number' })
const loadOptions: OptionTypes<LoadOptions> = { dtype: loadDTypes, names: 'other' }

/**
 * Saves a model, or tensors by name, as a safetensors file: what Hugging Face, PyTorch (`safetensors.torch.load_file`) and others read.
 * What is saved is what variables hold at the call, also when training goes on meanwhile. The file is written under another name,
 * flushed and renamed: a crash or a full disk leaves the old one as it was. The event loop turns while it is written.
 *
 * With `maxShardBytes` a large model becomes `model-00001-of-00002.safetensors`, … and `model.safetensors.index.json`, as Hugging Face
 * has it; they take the place of what was saved under the path before.
 *
 * Keras calls it `model.save_weights`, PyTorch `torch.save(model.state_dict())` and `safetensors.torch.save_file`.
 *
 * @throws (rejects with) TypeError for what has no tensors by name; RangeError for a name that no file has; Error with the `code` of the file system, such as
 * ENOSPC
 *
 * @example
 * await save('model.safetensors', model, { metadata: { epoch: '3' } })
 * await save('half.safetensors', model, { dtype: 'bfloat16' })
 */
export async function save(path: string, from: Saveable, options?: SaveOptions, ...surplus: unknown[]): Promise<void> {
  const given = checkOptions('save', options, saveOptions(), surplus)
  const file = checkPath('save', path)
  const contents = shardsOf('save', from, given)
  await evaluate(...valuesIn(contents))
  await (contents.length > 1
    ? saveShards('save', file, contents)
    : writeAtomically('save', file, chunks(writing('save', contents[0]!))))
}

async function saveShards(op: string, file: string, contents: readonly Content[]): Promise<void> {
  const paths = shardPaths(file, contents.length)
  try {
    for (const [content, path] of zip(contents, paths)) await writeAtomically(op, path, chunks(writing(op, content)))
    await writeAtomically(op, indexPathOf(file), once(indexFor(contents, paths)))
  } catch (error) {
    for (const path of paths) rmSync(path, { force: true })
    throw error
  }
  removeOthers(file, paths)
}

/** `save`, here and now. */
export function saveSync(path: string, from: Saveable, options?: SaveOptions, ...surplus: unknown[]): void {
  const given = checkOptions('saveSync', options, saveOptions(), surplus)
  const file = checkPath('saveSync', path)
  const contents = shardsOf('saveSync', from, given)
  evaluateSync(...valuesIn(contents))
  if (contents.length > 1) saveShardsSync('saveSync', file, contents)
  else writeAtomicallySync('saveSync', file, chunksSync(writing('saveSync', contents[0]!)))
}

function saveShardsSync(op: string, file: string, contents: readonly Content[]): void {
  const paths = shardPaths(file, contents.length)
  try {
    for (const [content, path] of zip(contents, paths)) writeAtomicallySync(op, path, chunksSync(writing(op, content)))
    writeAtomicallySync(op, indexPathOf(file), [indexFor(contents, paths)])
  } catch (error) {
    for (const path of paths) rmSync(path, { force: true })
    throw error
  }
  removeOthers(file, paths)
}

/**
 * What `save` writes, as bytes: `safetensors.torch.save` in Python.
 *
 * @throws (rejects with) what `save` throws, but for the file system's errors
 */
export async function serialize(
  from: Saveable,
  options?: SerializeOptions,
  ...surplus: unknown[]
): Promise<Uint8Array<ArrayBuffer>> {
  const content = contentOf('serialize', from, checkOptions('serialize', options, serializeOptions, surplus))
  await evaluate(...valuesIn([content]))
  const bytes: Uint8Array[] = []
  for await (const chunk of chunks(writing('serialize', content))) bytes.push(chunk)
  return joined(bytes)
}

/** `serialize`, here and now. */
export function serializeSync(
  from: Saveable,
  options?: SerializeOptions,
  ...surplus: unknown[]
): Uint8Array<ArrayBuffer> {
  const content = contentOf('serializeSync', from, checkOptions('serializeSync', options, serializeOptions, surplus))
  evaluateSync(...valuesIn([content]))
  return joined([...chunksSync(writing('serializeSync', content))])
}

/**
 * The tensors of a safetensors file by name, of bytes of one, or of the shards that an index names (`model.safetensors.index.json`, also
 * by the path `model.safetensors`, where that is not there). `model.loadStateDict` takes them. F16, BF16, F32 and F64 become float32, I64
 * and the other integers int32, U8 uint8 and BOOL bool, unless `dtype` says another.
 *
 * Python calls it `safetensors.torch.load_file`, and `load` of bytes. What is larger than memory is for `open`.
 *
 * @throws (rejects with) DataFormatError for what is no such file; RangeError for a number that the dtype does not hold, and for names that are
 * not there; Error with the `code` of the file system
 *
 * @example
 * model.loadStateDict(await load('model.safetensors'))
 */
export async function load(from: PathOrBytes, options?: LoadOptions, ...surplus: unknown[]): Promise<StateDict> {
  const { dtype, names } = checkLoad('load', options, surplus)
  const parts = await openParts('load', from, names)
  try {
    const state: [string, Tensor][] = []
    for (const { source, header } of parts)
      for (const [name, entry] of header.entries) {
        const value = await readIn(source, readTensor('load', entry, dtype))
        state.push([name, ...(await evaluate(value))])
      }
    return Object.fromEntries(state)
  } finally {
    await closeParts(parts)
  }
}

/** `load`, here and now. */
export function loadSync(from: PathOrBytes, options?: LoadOptions, ...surplus: unknown[]): StateDict {
  const { dtype, names } = checkLoad('loadSync', options, surplus)
  const parts = openPartsSync('loadSync', from, names)
  try {
    const state: [string, Tensor][] = []
    for (const { source, header } of parts)
      for (const [name, entry] of header.entries) {
        const value = readInSync(source, readTensor('loadSync', entry, dtype))
        state.push([name, ...evaluateSync(value)])
      }
    return Object.fromEntries(state)
  } finally {
    for (const { source } of parts) source.close()
  }
}

/**
 * Opens a safetensors file, bytes of one, or shards by their index, to read single tensors or rows of them: what is in it is known
 * at once, and no more of the file is read than what is asked for. It has to be closed; bytes have to stay what they are until then.
 *
 * Python calls it `safetensors.safe_open`.
 *
 * @throws (rejects with) DataFormatError for what is no such file; Error with the `code` of the file system
 *
 * @example
 * const file = await open('model.safetensors')
 * console.log(file.tensors) // { 'embedding.weight': { dtype: 'BF16', shape: [50000, 512], bytes: 51200000 }, … }
 * const rows = await file.read('embedding.weight', { rows: [0, 100] })
 * await file.close()
 */
export async function open(from: PathOrBytes, ...surplus: unknown[]): Promise<TensorFile> {
  refuseSurplus('open', 1, surplus)
  return new TensorFile(await openParts('open', from))
}

function checkLoad(op: string, options: LoadOptions | undefined, surplus: readonly unknown[]) {
  const { dtype, names } = checkOptions(op, options, loadOptions, surplus)
  if (names === undefined) return { dtype }
  const list = checkList(op, 'a list of names', names)
  return { dtype, names: new Set(list.map((name) => checkText(op, 'texts as names', name))) }
}

/** All in one unless that is too much. */
function shardsOf(op: string, from: Saveable, options: SaveOptions): Content[] {
  const { maxShardBytes = Infinity } = options
  if (maxShardBytes !== Infinity) checkInteger(op, 'a maxShardBytes of at least 1', maxShardBytes, 1)
  const { tensors, metadata } = contentOf(op, from, options)
  const shards = inShards(tensors, maxShardBytes)
  return shards.length > 1 ? shards.map((tensors) => ({ tensors, metadata })) : [{ tensors, metadata }]
}

function indexFor(contents: readonly Content[], paths: readonly string[]): Uint8Array {
  const files = zip(contents, paths).flatMap(([{ tensors }, path]) =>
    tensors.map(({ name, bytes }) => ({ name, bytes, file: basename(path) })),
  )
  const totalBytes = files.reduce((sum, { bytes }) => sum + bytes, 0)
  return writeIndex(
    totalBytes,
    files.map(({ name, file }) => [name, file]),
  )
}

const zip = (contents: readonly Content[], paths: readonly string[]) =>
  zipWith(contents, paths, (content, path) => [content, path] as const)

async function* once(chunk: Uint8Array): AsyncGenerator<Uint8Array, void> {
  yield chunk
}
