/** What a model of TensorFlow.js is saved as: `model.json` with files of weights beside it, or the same in memory. */
import { realpath } from 'node:fs/promises'
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path'
import { types } from 'node:util'
import { describe } from '../base/arguments.ts'
import { expected } from '../base/errors.ts'
import { isPlainObject } from '../base/options.ts'
import { openSource } from '../files/source.ts'
import { fail, type Origin } from '../keras/config.ts'
import { mostJsonBytes, parseJson } from '../keras/json.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { checkSpec, readWeights, type WeightSpec } from './weights.ts'

/** A model in memory, as an IOHandler of TensorFlow.js gives it. */
export interface ModelArtifacts {
  readonly modelTopology: object
  readonly weightSpecs?: readonly WeightSpec[]
  readonly weightData?: ArrayBuffer | Uint8Array | readonly ArrayBuffer[]
  readonly format?: string
  readonly signature?: object
  readonly [name: string]: unknown
}

export interface Artifacts {
  readonly origin: Origin
  readonly topology: Readonly<Record<string, unknown>>
  readonly json: Readonly<Record<string, unknown>>
  readonly weights: Map<string, Tensor>
}

const mostShards = 100_000
const mostWeightBytes = 2 ** 32

/** A model of the path of its `model.json`, or in memory. */
export async function readArtifacts(op: string, from: unknown): Promise<Artifacts> {
  if (typeof from === 'string') return readFiles(op, from)
  if (!isPlainObject(from))
    throw new TypeError(expected(op, 'the path of a model.json, or { modelTopology, … }', describe(from)))
  const json = from as Readonly<Record<string, unknown>>
  const origin: Origin = { op, file: 'artifacts', dialect: 'keras2' }
  const topology = topologyOf(origin, json)
  const specs = specsOf(origin, json.weightSpecs ?? [])
  const weights = new Map<string, Tensor>()
  await readWeights(origin, specs, joined(op, json.weightData), weights)
  return { origin, topology, json, weights }
}

function topologyOf(origin: Origin, json: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { modelTopology } = json
  return isPlainObject(modelTopology)
    ? (modelTopology as Record<string, unknown>)
    : fail(origin, 'a modelTopology', modelTopology)
}

const specsOf = (origin: Origin, specs: unknown): WeightSpec[] =>
  Array.isArray(specs) ? specs.map((spec) => checkSpec(origin, spec)) : fail(origin, 'weightSpecs in a list', specs)

/** Weights in memory, which may be in pieces. */
function joined(op: string, data: unknown): Uint8Array {
  const pieces = Array.isArray(data) ? data : data === undefined ? [] : [data]
  const bytes = pieces.map((piece: unknown) => {
    if (types.isUint8Array(piece)) return piece
    if (types.isAnyArrayBuffer(piece)) return new Uint8Array(piece)
    throw new TypeError(expected(op, 'weightData as an ArrayBuffer or a Uint8Array', describe(piece)))
  })
  return bytes.length === 1 ? bytes[0]! : new Uint8Array(Buffer.concat(bytes))
}

async function readFiles(op: string, path: string): Promise<Artifacts> {
  const source = await openSource(op, path)
  const origin: Origin = { op, file: path, dialect: 'keras2' }
  let text: string
  try {
    if (source.size > mostJsonBytes) fail(origin, `a model.json of at most ${mostJsonBytes} bytes`, String(source.size))
    text = new TextDecoder().decode(await source.read(0, source.size))
  } finally {
    await source.close()
  }
  const json = parseJson(origin, text, 'model.json')
  if (!isPlainObject(json)) return fail(origin, 'model.json as an object', json)
  const record = json as Readonly<Record<string, unknown>>
  const topology = topologyOf(origin, record)
  const weights = new Map<string, Tensor>()
  for (const { paths, specs } of manifestOf(origin, record.weightsManifest ?? []))
    await readWeights(origin, specs, await readShards(origin, paths), weights)
  return { origin, topology, json: record, weights }
}

interface Group {
  readonly paths: readonly string[]
  readonly specs: readonly WeightSpec[]
}

function manifestOf(origin: Origin, manifest: unknown): Group[] {
  if (!Array.isArray(manifest)) return fail(origin, 'a weightsManifest in a list', manifest)
  const groups = manifest.map((group: unknown) => {
    const { paths, weights } = (isPlainObject(group) ? group : {}) as Readonly<Record<string, unknown>>
    if (!Array.isArray(paths) || !paths.every((path) => typeof path === 'string'))
      return fail(origin, 'paths in the weightsManifest', paths)
    return { paths: paths as string[], specs: specsOf(origin, weights) }
  })
  const count = groups.reduce((sum, { paths }) => sum + paths.length, 0)
  return count > mostShards ? fail(origin, `at most ${mostShards} files of weights`, String(count)) : groups
}

/** The bytes of files one after the other. */
async function readShards(origin: Origin, paths: readonly string[]): Promise<Uint8Array> {
  const folder = await realpath(dirname(resolve(origin.file)))
  const pieces: Uint8Array[] = []
  let total = 0
  for (const path of paths) {
    const source = await openSource(origin.op, await shardPath(origin, folder, path))
    try {
      total += source.size
      if (total > mostWeightBytes) fail(origin, `at most ${mostWeightBytes} bytes of weights`, `${total}`)
      pieces.push(await source.read(0, source.size))
    } finally {
      await source.close()
    }
  }
  return pieces.length === 1 ? pieces[0]! : new Uint8Array(Buffer.concat(pieces))
}

/** A file in the folder of the model: neither another path nor a link leads out of it. */
async function shardPath(origin: Origin, folder: string, path: string): Promise<string> {
  const isInside = (file: string) => {
    const way = relative(folder, file)
    return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way)
  }
  const what = 'weights in the folder of the model'
  if (path === '' || path.includes('\0') || isAbsolute(path) || path.includes('\\') || !isInside(resolve(folder, path)))
    return fail(origin, what, path)
  const file = resolve(folder, path)
  const real = await realpath(file).catch(() => file)
  return isInside(real) ? real : fail(origin, what, `a link ${path} that leads out of it`)
}
