/** What goes into a model and comes out of it, as the file declares it, and whether given tensors are that. */
import { describe } from '../base/arguments.ts'
import type { DType } from '../base/dtype.ts'
import { DTypeError, expected, ShapeError } from '../base/errors.ts'
import { isPlainObject } from '../base/options.ts'
import { formatShape } from '../base/shape.ts'
import { tensor } from '../tensor/creation.ts'
import { Tensor, type TensorLike } from '../tensor/tensor.ts'
import { formatError } from './errors.ts'
import { type Doubles, dtypeOfType, type ElementType, typeOfCode } from './types.ts'
import type { ValueInfoProto } from './wire/onnx_pb.ts'

/** An input or output of a model. */
export interface ValueInfo {
  readonly name: string
  readonly dtype: DType
  /** The extent of each axis: a number, or the name of one that may differ (`?` where it has none). `null` where the file does not say how many axes there are. */
  readonly shape: readonly (number | string)[] | null
}

/** The same, with the type that ONNX has. */
export interface Declared extends ValueInfo {
  readonly type: ElementType
}

/** @throws DataFormatError for anything but tensors of numbers */
export function declaredOf({ name, type }: ValueInfoProto, doubles: Doubles, place: string): Declared {
  const where = `${place} ${name}`
  if (type?.value.case !== 'tensorType') throw formatError('a tensor', type?.value.case ?? 'no type', where)
  const { elemType, shape } = type.value.value
  const element = typeOfCode(elemType)
  const dtype = element === undefined ? null : dtypeOfType(element, doubles)
  if (element === undefined || dtype === null) throw formatError('a tensor of numbers', element ?? elemType, where)
  const extents = shape?.dim.map(({ value }) => {
    if (value.case === 'dimValue') return Number(value.value)
    return value.case === 'dimParam' && value.value !== '' ? value.value : '?'
  })
  return { name, dtype, shape: extents ?? null, type: element }
}

export const infoOf = ({ name, dtype, shape }: Declared): ValueInfo => ({ name, dtype, shape: shape && [...shape] })

export type Inputs = TensorLike | Readonly<Record<string, TensorLike>>

/**
 * The tensors of the inputs, in their order: by name, or the one that there is.
 * @throws TypeError for other names; DTypeError, ShapeError for what the model does not take
 */
export function inputTensors(declared: readonly Declared[], given: Inputs): Tensor[] {
  const byName = isPlainObject(given) ? (given as Readonly<Record<string, TensorLike>>) : onlyInput(declared, given)
  const unknown = Object.keys(byName).find((name) => !declared.some((input) => input.name === name))
  const names = declared.map(({ name }) => name).join(', ')
  if (unknown !== undefined) throw new TypeError(expected('forward', `inputs ${names || 'of no name'}`, unknown))
  const extents = new Map<string, readonly [extent: number, input: string]>()
  return declared.map((input) => {
    if (!Object.hasOwn(byName, input.name)) throw new TypeError(expected('forward', `an input ${input.name}`, 'none'))
    const x = byName[input.name]!
    const made = x instanceof Tensor ? x : tensor(x, { dtype: input.dtype })
    checkInput(input, made, extents)
    return made
  })
}

function onlyInput(declared: readonly Declared[], given: Inputs): Record<string, TensorLike> {
  const [first, ...others] = declared
  if (first === undefined || others.length > 0)
    throw new TypeError(
      expected('forward', `tensors by name (${declared.map(({ name }) => name).join(', ')})`, describe(given)),
    )
  return { [first.name]: given as TensorLike }
}

/** A name stands for the same extent wherever it is. */
function checkInput(
  { name, dtype, shape }: Declared,
  x: Tensor,
  extents: Map<string, readonly [number, string]>,
): void {
  if (x.dtype !== dtype) throw new DTypeError(expected('forward', `${name} of ${dtype}`, x.dtype))
  if (shape === null) return
  const wrong = () =>
    new ShapeError(expected('forward', `${name} of shape [${shape.join(', ')}]`, formatShape(x.shape)))
  if (x.ndim !== shape.length) throw wrong()
  shape.forEach((extent, axis) => {
    const own = x.shape[axis]!
    if (typeof extent === 'number' && extent !== own) throw wrong()
    if (typeof extent === 'number' || extent === '?') return
    const [known, other] = extents.get(extent) ?? [own, name]
    if (known !== own) throw new ShapeError(expected('forward', `${extent} = ${known} in ${name}, as in ${other}`, own))
    extents.set(extent, [own, name])
  })
}
