/** The weights of TensorFlow.js: their specifications, and the bytes in which they follow each other. */
import { isPlainObject } from '../base/options.ts'
import { maxElements, maxRank } from '../base/shape.ts'
import { stepsPerPiece, turnIfDue } from '../base/turns.ts'
import { decode, type StoredName, storedBytes } from '../files/stored.ts'
import { tensorOfBytes } from '../files/tensor-file.ts'
import { fail, type Origin } from '../keras/config.ts'
import { concat } from '../operations/joining.ts'
import { tensor } from '../tensor/creation.ts'
import { evaluate, type Tensor } from '../tensor/tensor.ts'

/** One weight: what it is, and as what it is stored where that is something else. */
export interface WeightSpec {
  readonly name: string
  readonly shape: readonly number[]
  readonly dtype: string
  readonly quantization?: { readonly dtype: string; readonly min?: number; readonly scale?: number }
}

const stored: Readonly<Record<string, StoredName>> = {
  ...{ float32: 'F32', int32: 'I32', bool: 'BOOL', uint8: 'U8', uint16: 'U16', float16: 'F16' },
}

const dtypes = { float32: 'float32', int32: 'int32', bool: 'bool', uint8: 'uint8' } as const

const isExtents = (shape: unknown): shape is number[] =>
  Array.isArray(shape) &&
  shape.length <= maxRank &&
  shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0)

/** A specification as it has to be. */
export function checkSpec(origin: Origin, value: unknown): WeightSpec {
  if (!isPlainObject(value)) return fail(origin, 'weights as { name, shape, dtype }', value)
  const { name, shape, dtype, quantization } = value as Readonly<Record<string, unknown>>
  if (typeof name !== 'string') return fail(origin, 'a name of a weight', name)
  if (!isExtents(shape)) return fail(origin, `a shape of the weight ${name} of at most ${maxRank} extents`, shape)
  if (typeof dtype !== 'string' || !Object.hasOwn(dtypes, dtype))
    return fail(origin, `a dtype of the weight ${name} (${Object.keys(dtypes).join(', ')})`, dtype)
  if (quantization === undefined) return { name, shape, dtype }
  if (!isPlainObject(quantization)) return fail(origin, `a quantization of the weight ${name}`, quantization)
  const { dtype: kept, min = 0, scale = 1 } = quantization as Readonly<Record<string, unknown>>
  if (typeof kept !== 'string' || !Object.hasOwn(stored, kept))
    return fail(origin, `a quantization of the weight ${name} as uint8, uint16 or float16`, kept)
  if (!Number.isFinite(min) || !Number.isFinite(scale))
    return fail(origin, `a finite min and scale of the weight ${name}`, `${String(min)} and ${String(scale)}`)
  return { name, shape, dtype, quantization: { dtype: kept, min: min as number, scale: scale as number } }
}

const typeOf = ({ dtype, quantization }: WeightSpec): StoredName => stored[quantization?.dtype ?? dtype]!

/** How many bytes a weight takes. */
export function bytesOf(origin: Origin, spec: WeightSpec): number {
  const size = spec.shape.reduce((product, extent) => product * extent, 1)
  if (size > maxElements) fail(origin, `a weight ${spec.name} of at most ${maxElements} elements`, String(size))
  return size * storedBytes(typeOf(spec))
}

/**
 * The weights of a list of specifications, whose bytes follow each other.
 * @throws DataFormatError for fewer or more bytes, or a name that is there twice
 */
export async function readWeights(
  origin: Origin,
  specs: readonly WeightSpec[],
  bytes: Uint8Array,
  into: Map<string, Tensor>,
): Promise<void> {
  const total = specs.reduce((sum, spec) => sum + bytesOf(origin, spec), 0)
  if (total !== bytes.length) fail(origin, `${total} bytes of weights`, String(bytes.length))
  let at = 0
  for (const spec of specs) {
    if (into.has(spec.name)) fail(origin, 'each weight once', `two ${spec.name}`)
    const end = at + bytesOf(origin, spec)
    into.set(spec.name, await weightOf(origin, spec, bytes.subarray(at, end)))
    at = end
  }
}

async function weightOf(origin: Origin, spec: WeightSpec, bytes: Uint8Array): Promise<Tensor> {
  const { shape, quantization } = spec
  const dtype = dtypes[spec.dtype as keyof typeof dtypes]
  const isScaled = quantization !== undefined && quantization.dtype !== 'float16'
  if (!isScaled) return tensorOfBytes(origin.op, { name: spec.name, type: typeOf(spec), shape }, bytes, dtype)
  const { min = 0, scale = 1 } = quantization
  const pieceBytes = stepsPerPiece * storedBytes(typeOf(spec))
  const pieces: Tensor[] = []
  for (let at = 0; at === 0 || at < bytes.length; at += pieceBytes) {
    await turnIfDue()
    const steps = decode(origin.op, typeOf(spec), bytes.subarray(at, at + pieceBytes), 'float32')
    const values = Float64Array.from(steps, (step) => step * scale + min)
    pieces.push(tensor(dtype === 'float32' ? Float32Array.from(values) : values.map(Math.round), { dtype }))
  }
  const [weight] = await evaluate(concat(pieces).reshape(shape))
  return weight
}
