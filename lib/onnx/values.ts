/**
 * What a name in a graph stands for while it is evaluated: a tensor, or numbers that are known on the host. Shapes and all that is
 * computed from them are of the second kind, exactly as ONNX has them, so nothing of it is left in a program.
 */
import { expected, ShapeError } from '../base/errors.ts'
import { formatShape, type Shape, sameShape, sizeOf } from '../base/shape.ts'
import { tensor } from '../tensor/creation.ts'
import { Tensor } from '../tensor/tensor.ts'
import { type Doubles, dtypeOfType, type ElementType, isFloatType, isWide, rangeOf, typeOfDType } from './types.ts'

export type Value = TensorValue | HostArray

/** A tensor, and the type that ONNX calls its elements by: int64, int8 and the like are int32 in it. */
export class TensorValue {
  constructor(
    readonly tensor: Tensor,
    readonly type: ElementType = typeOfDType[tensor.dtype],
    /** What a variable held in the file, where an operator wants to know it beforehand. */
    readonly initial?: HostArray,
  ) {}

  get shape(): Shape {
    return this.tensor.shape
  }
}

/** The elements of a host array: of 64-bit integers as bigint. */
export type HostData = Float64Array | BigInt64Array | BigUint64Array

/** Numbers on the host. Integers are exact, floats are what their type rounds them to. */
export class HostArray {
  readonly size: number
  #tensor: Tensor | undefined

  constructor(
    readonly type: ElementType,
    readonly shape: Shape,
    readonly data: HostData,
  ) {
    this.size = sizeOf(shape)
    if (this.size !== data.length) throw new ShapeError(expected('onnx', `${data.length} elements`, formatShape(shape)))
  }

  /** Of values that are brought into the range of the type, as a cast does: floats are truncated, integers wrap. */
  static of(type: ElementType, shape: Shape, values: ArrayLike<number | bigint>): HostArray {
    const data = hostData(type, values.length)
    for (let i = 0; i < values.length; i++) data[i] = elementOfType(type, values[i]!)
    return new HostArray(type, shape, data)
  }

  /** An int64 vector, as shapes and axes are. */
  static integers(values: readonly (number | bigint)[]): HostArray {
    return HostArray.of('int64', [values.length], values)
  }

  /**
   * Its elements as numbers.
   * @throws RangeError for an integer that no number is
   */
  numbers(): number[] {
    return Array.from(this.data as ArrayLike<number | bigint>, (x) => {
      const number = Number(x)
      if (typeof x === 'bigint' && BigInt(number) !== x)
        throw new RangeError(expected('onnx', 'an integer within ±2⁵³', x.toString()))
      return number
    })
  }

  /** The same elements under another shape. */
  withShape(shape: Shape): HostArray {
    return sameShape(shape, this.shape) ? this : new HostArray(this.type, shape, this.data)
  }

  /** Element by element under numpy's rules, a shape that it broadcasts to. */
  at(index: number): number | bigint {
    return this.data[index]!
  }

  /**
   * Its elements as a tensor.
   * @throws RangeError for an integer beyond int32
   */
  tensor(doubles: Doubles): Tensor {
    this.#tensor ??= this.#made(doubles)
    return this.#tensor
  }

  #made(doubles: Doubles): Tensor {
    const dtype = dtypeOfType(this.type, doubles)
    if (dtype === null) throw new RangeError(expected('onnx', 'a type that tensors have', this.type))
    const { data, shape } = this
    if (data instanceof Float64Array) return tensor(data, { dtype, shape })
    const far = Array.from(data).find((x) => x !== BigInt.asIntN(32, x))
    if (far !== undefined)
      throw new RangeError(expected('onnx', `${this.type} numbers within int32, which tensors have`, far.toString()))
    return tensor(Int32Array.from(data as BigInt64Array, Number), { dtype, shape })
  }
}

const hostData = (type: ElementType, size: number): HostData => {
  if (!isWide(type)) return new Float64Array(size)
  return type === 'uint64' ? new BigUint64Array(size) : new BigInt64Array(size)
}

const single = new Float32Array(1)

/** A number as an element of a type. */
export function elementOfType(type: ElementType, value: number | bigint): number | bigint {
  if (type === 'bool') return Number(value) === 0 ? 0 : 1
  if (isFloatType(type)) {
    if (type === 'double') return Number(value)
    single[0] = Number(value)
    return single[0]
  }
  const range = rangeOf(type)
  if (range === undefined) throw new RangeError(expected('onnx', 'a type of numbers', type))
  const integer = typeof value === 'bigint' ? value : BigInt(Number.isFinite(value) ? Math.trunc(value) : 0)
  const bits = (range[1] - range[0] + 1n).toString(2).length - 1
  const wrapped = range[0] === 0n ? BigInt.asUintN(bits, integer) : BigInt.asIntN(bits, integer)
  return isWide(type) ? wrapped : Number(wrapped)
}

/** What a body gives, as a value: a tensor alone has the type of the first input that is held in the same way. */
export function valueFrom(result: Tensor | Value, inputs: readonly (Value | undefined)[]): Value {
  if (!(result instanceof Tensor)) return result
  for (const input of inputs)
    if (input !== undefined && dtypeOfValue(input) === result.dtype) return new TensorValue(result, input.type)
  return new TensorValue(result)
}

const dtypeOfValue = (value: Value) =>
  value instanceof TensorValue ? value.tensor.dtype : dtypeOfType(value.type, 'float32')
