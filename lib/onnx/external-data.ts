/**
 * Tensors whose elements stand in files beside the model: `weights.onnx.data`. A model says where, and is not believed: the file is
 * in the model's folder and no link leads out of it, and the bytes are there and as many as the shape asks for.
 */
import { lstat, realpath } from 'node:fs/promises'
import { isAbsolute, join, sep } from 'node:path'
import { fileError } from '../files/file-error.ts'
import { openSource, type Source } from '../files/source.ts'
import { formatError, op } from './errors.ts'
import { dataLocations } from './types.ts'
import type { AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto } from './wire/onnx_pb.ts'

/** Where such files are: in a folder, or in memory by the names that the model has for them. */
export type ExternalData = { readonly folder: string } | { readonly files: Readonly<Record<string, Uint8Array>> }

/** Reads what tensors of a model have in other files into them. */
export async function readExternalData(model: ModelProto, from: ExternalData, file: string): Promise<void> {
  const open = new Map<string, Source>()
  try {
    for (const tensor of tensorsIn(model)) {
      if (tensor.dataLocation !== dataLocations.external) continue
      const place = `external data of ${tensor.name === '' ? 'a tensor' : tensor.name} in ${file}`
      const { location, ...span } = entriesOf(tensor, place)
      const source = open.get(location) ?? (await openExternal(location, from, place))
      open.set(location, source)
      tensor.rawData = await readSpan(source, span, place)
      tensor.dataLocation = dataLocations.inside
    }
  } finally {
    for (const source of open.values()) await source.close()
  }
}

interface Entries {
  readonly location: string
  readonly offset: number
  readonly length: number | undefined
}

function entriesOf({ externalData }: TensorProto, place: string): Entries {
  const entries = new Map(externalData.map(({ key, value }) => [key, value]))
  const count = (key: string): number | undefined => {
    const text = entries.get(key)
    if (text === undefined) return undefined
    if (!/^\d{1,15}$/.test(text)) throw formatError(`a number of bytes as ${key}`, JSON.stringify(text), place)
    return Number(text)
  }
  const location = entries.get('location')
  if (location === undefined) throw formatError('a location', 'none', place)
  return { location, offset: count('offset') ?? 0, length: count('length') }
}

async function readSpan(
  source: Source,
  { offset, length }: Omit<Entries, 'location'>,
  place: string,
): Promise<Uint8Array> {
  const end = offset + (length ?? source.size - offset)
  if (offset > source.size || end > source.size)
    throw formatError(`bytes ${offset} to ${end} of ${source.name}`, `${source.size} bytes`, place)
  return source.read(offset, end)
}

/** @throws DataFormatError for a path that leads out of the folder, in whichever way */
async function openExternal(location: string, from: ExternalData, place: string): Promise<Source> {
  const parts = location.split('/')
  const isInside = !isAbsolute(location) && !/[\\:\0]/.test(location) && !parts.includes('..') && location !== ''
  if (!isInside) throw formatError("a path within the model's folder", JSON.stringify(location), place)
  if ('files' in from) {
    const bytes = Object.hasOwn(from.files, location) ? from.files[location] : undefined
    if (bytes === undefined)
      throw formatError('its bytes among externalData', `none for ${JSON.stringify(location)}`, place)
    return openSource(op, bytes)
  }
  const path = join(from.folder, location)
  await checkNoLinks(from.folder, parts, place)
  const source = await openSource(op, path)
  return { ...source, name: path, size: source.size, read: source.read.bind(source), close: source.close.bind(source) }
}

/** No part of the path is a link, and the whole lies where it says. */
async function checkNoLinks(folder: string, parts: readonly string[], place: string): Promise<void> {
  let path = folder
  for (const part of parts) {
    path = join(path, part)
    try {
      if ((await lstat(path)).isSymbolicLink()) throw formatError('files that are no links', path, place)
    } catch (error) {
      throw fileError(op, 'read', path, error)
    }
  }
  const [whole, inside] = await Promise.all([realpath(folder), realpath(path)])
  if (!inside.startsWith(whole.endsWith(sep) ? whole : whole + sep))
    throw formatError("a path within the model's folder", inside, place)
}

/** All tensors of a model: initializers, and those in attributes, also of graphs in graphs. */
export function* tensorsIn({ graph, functions }: ModelProto): Generator<TensorProto> {
  if (graph !== undefined) yield* tensorsOfGraph(graph)
  for (const { node, attributeProto } of functions) {
    yield* tensorsOfNodes(node)
    yield* tensorsOfAttributes(attributeProto)
  }
}

function* tensorsOfGraph({ initializer, node }: GraphProto): Generator<TensorProto> {
  yield* initializer
  yield* tensorsOfNodes(node)
}

function* tensorsOfNodes(nodes: readonly NodeProto[]): Generator<TensorProto> {
  for (const { attribute } of nodes) yield* tensorsOfAttributes(attribute)
}

function* tensorsOfAttributes(attributes: readonly AttributeProto[]): Generator<TensorProto> {
  for (const { t, g, tensors, graphs } of attributes) {
    if (t !== undefined) yield t
    yield* tensors
    if (g !== undefined) yield* tensorsOfGraph(g)
    for (const graph of graphs) yield* tensorsOfGraph(graph)
  }
}
