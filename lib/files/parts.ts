/** Opens what holds tensors: one safetensors file, or the shards that an index names. */
import { dirname, join } from 'node:path'
import { DataFormatError, expected } from '../base/errors.ts'
import { type Entry, type Header, readHeader } from './safetensors-header.ts'
import { indexOf, readIndex } from './shards.ts'
import {
  openSource,
  openSourceSync,
  type PathOrBytes,
  readIn,
  readInSync,
  type Source,
  type SourceSync,
} from './source.ts'

/** A source, and where the tensors are in it that are asked for. */
export interface Part<S> {
  readonly source: S
  readonly header: Header
}

type Names = ReadonlySet<string> | undefined

/**
 * The open files of the tensors of these names, or of all.
 * @throws (rejects with) RangeError where a name is not there; DataFormatError, or Error of the file system
 */
export async function openParts(op: string, from: PathOrBytes, names?: Names): Promise<Part<Source>[]> {
  const index = indexOf(from)
  const wanted = index === undefined ? [{ file: from, names: undefined }] : await shardsIn(op, index, names)
  const parts: Part<Source>[] = []
  try {
    for (const { file, names } of wanted) {
      const source = await openSource(op, file)
      const part = { source, header: noHeader }
      parts.push(part)
      part.header = restricted(await readIn(source, readHeader(source.name, source.size)), source.name, names)
    }
    return chosen(op, parts, names, index)
  } catch (error) {
    await closeParts(parts)
    throw error
  }
}

export function openPartsSync(op: string, from: PathOrBytes, names?: Names): Part<SourceSync>[] {
  const index = indexOf(from)
  const wanted = index === undefined ? [{ file: from, names: undefined }] : shardsInSync(op, index, names)
  const parts: Part<SourceSync>[] = []
  try {
    for (const { file, names } of wanted) {
      const source = openSourceSync(op, file)
      const part = { source, header: noHeader }
      parts.push(part)
      part.header = restricted(readInSync(source, readHeader(source.name, source.size)), source.name, names)
    }
    return chosen(op, parts, names, index)
  } catch (error) {
    for (const { source } of parts) source.close()
    throw error
  }
}

export async function closeParts(parts: readonly Part<Source>[]): Promise<void> {
  await Promise.all(parts.map(({ source }) => source.close()))
}

const noHeader: Header = { metadata: {}, entries: new Map() }

/** A file of an index, and which tensors it has to have. */
interface Shard {
  readonly file: string
  readonly names: ReadonlySet<string>
}

async function shardsIn(op: string, path: string, names: Names): Promise<Shard[]> {
  const source = await openSource(op, path)
  try {
    return grouped(path, await readIn(source, readIndex(source.name, source.size)), names)
  } finally {
    await source.close()
  }
}

function shardsInSync(op: string, path: string, names: Names): Shard[] {
  const source = openSourceSync(op, path)
  try {
    return grouped(path, readInSync(source, readIndex(source.name, source.size)), names)
  } finally {
    source.close()
  }
}

function grouped(path: string, files: ReadonlyMap<string, string>, wanted: Names): Shard[] {
  const shards = new Map<string, Set<string>>()
  for (const [name, file] of files) {
    if (wanted !== undefined && !wanted.has(name)) continue
    const names = shards.get(file)
    if (names === undefined) shards.set(file, new Set([name]))
    else names.add(name)
  }
  return Array.from(shards, ([file, names]) => ({ file: join(dirname(path), file), names }))
}

/** The header of a shard, with the tensors that the index has there. */
function restricted(header: Header, name: string, names: Names): Header {
  if (names === undefined) return header
  const missing = [...names].filter((each) => !header.entries.has(each))
  if (missing.length > 0)
    throw new DataFormatError(
      `${expected('safetensors', 'all tensors that the index has there', `no ${listed(missing)}`)} (${name})`,
    )
  return { ...header, entries: entriesOf(header, names) }
}

const entriesOf = ({ entries }: Header, names: ReadonlySet<string>): ReadonlyMap<string, Entry> =>
  new Map([...entries].filter(([name]) => names.has(name)))

/** The tensors that are asked for, all of which have to be there. */
function chosen<S extends Source | SourceSync>(op: string, parts: Part<S>[], names: Names, index?: string): Part<S>[] {
  if (names === undefined) return parts
  const missing = [...names].filter((name) => !parts.some(({ header }) => header.entries.has(name)))
  if (missing.length > 0) {
    const where = index ?? parts[0]?.source.name
    throw new RangeError(
      `${expected(op, 'names of tensors in the file', `${listed(missing)}, which it has not`)} (${where})`,
    )
  }
  return parts.map(({ source, header }) => ({ source, header: { ...header, entries: entriesOf(header, names) } }))
}

const mostListed = 20

const listed = (names: readonly string[]): string =>
  names.length > mostListed ? `${names.slice(0, mostListed).join(', ')}, …` : names.join(', ')
