/** Shards as Hugging Face has them: several safetensors files in a folder, and beside them an index that says which tensor is where. */
import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { DataFormatError, expected } from '../base/errors.ts'
import { JsonReader } from './json.ts'
import { decodeUtf8 } from './safetensors-header.ts'
import type { Reading } from './source.ts'

/** More than any model has names for. */
const maxIndexBytes = 100_000_000
const suffix = '.index.json'
const extension = '.safetensors'

/** Where the index is: the path itself, or beside the path of a file that is not there; undefined where there is none. */
export function indexOf(path: unknown): string | undefined {
  if (typeof path !== 'string' || path.includes('\0')) return undefined
  if (path.endsWith(suffix)) return path
  return !existsSync(path) && existsSync(path + suffix) ? path + suffix : undefined
}

/**
 * The file of each tensor by its name, as the index has them.
 * @throws DataFormatError for what is no index, and for a file that may be outside of its folder
 */
export function* readIndex(name: string, size: number): Reading<Map<string, string>> {
  const fail = (what: string, got: string): never => {
    throw new DataFormatError(`${expected('safetensors', what, got)} (${name})`)
  }
  if (size > maxIndexBytes) fail(`an index of at most ${maxIndexBytes} bytes`, `${size}`)
  const json = new JsonReader('safetensors', name, decodeUtf8(yield [0, size]) ?? fail('an index in UTF-8', 'others'))
  let files: Map<string, string> | undefined
  for (const member of json.members('the index')) {
    if (member === 'weight_map') files = readFiles(json)
    else json.skip()
  }
  json.end()
  return files ?? fail('an index with a weight_map', 'none')
}

function readFiles(json: JsonReader): Map<string, string> {
  const files = new Map<string, string>()
  for (const name of json.members('weight_map')) {
    const file = json.string(`the file of ${JSON.stringify(name)}`)
    if (!isInFolder(file)) json.fail('files in the folder of the index', JSON.stringify(file))
    files.set(name, file)
  }
  return files
}

/** A name alone, on any system; what it names may be a link, as in Hugging Face's cache. */
const isInFolder = (file: string): boolean => /^[^/\\:\0]+$/.test(file) && file !== '.' && file !== '..'

/** The index of tensors of so many bytes, of each its name and its file. */
export const writeIndex = (totalBytes: number, files: readonly (readonly [name: string, file: string])[]): Uint8Array =>
  Buffer.from(
    `${JSON.stringify({ metadata: { total_size: totalBytes }, weight_map: Object.fromEntries(files) }, null, 2)}\n`,
  )

/**
 * The tensors in groups of at most so many bytes, in their order; one that is larger is alone.
 */
export function inShards<T extends { readonly bytes: number }>(tensors: readonly T[], maxBytes: number): T[][] {
  const shards: T[][] = []
  let bytes = 0
  for (const each of tensors) {
    bytes += each.bytes
    if (shards.length === 0 || bytes > maxBytes) {
      shards.push([])
      bytes = each.bytes
    }
    shards.at(-1)!.push(each)
  }
  return shards
}

const stemOf = (path: string): string => basename(path, extension)

export const indexPathOf = (path: string): string => path + suffix

/**
 * The paths of shards: `model-00001-of-00003.safetensors`. Where one of them is there, they have a mark of their own, so
 * that the old index stays right until the new one takes its place.
 */
export function shardPaths(path: string, count: number): string[] {
  const folder = dirname(path)
  const digits = (n: number) => String(n).padStart(5, '0')
  const named = (mark: string) =>
    Array.from({ length: count }, (_, i) =>
      join(folder, `${stemOf(path)}-${digits(i + 1)}-of-${digits(count)}${mark}${extension}`),
    )
  const plain = named('')
  return plain.some((each) => existsSync(each)) ? named(`-${randomBytes(4).toString('hex')}`) : plain
}

/** Removes the shards of earlier saves under the same path, and a file there, as the index that was written does not name them. */
export function removeOthers(path: string, shards: readonly string[]): void {
  const kept = new Set(shards.map((shard) => basename(shard)))
  const isOld = (name: string) => name === basename(path) || (isShardOf(stemOf(path), name) && !kept.has(name))
  for (const name of readdirSync(dirname(path))) if (isOld(name)) rmSync(join(dirname(path), name), { force: true })
}

function isShardOf(stem: string, name: string): boolean {
  return name.startsWith(`${stem}-`) && /^\d{5}-of-\d{5}(-[0-9a-f]{8})?\.safetensors$/.test(name.slice(stem.length + 1))
}
