/** What a body is given: the inputs of its node as values, tensors or numbers, its attributes, and the graphs within it. */
import type { DType } from '../../base/dtype.ts'
import { expected } from '../../base/errors.ts'
import type { Shape } from '../../base/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { isCompiling } from '../../tensor/trace.ts'
import { Variable } from '../../tensor/variable.ts'
import type { Attributes } from '../attributes.ts'
import { DependsOnDataError } from '../errors.ts'
import { type Doubles, dtypeOfType, type ElementType, isFloatType } from '../types.ts'
import { HostArray, TensorValue, type Value, valueFrom } from '../values.ts'

/** A graph in an attribute, which sees the values around it. */
export interface Inner {
  readonly inputs: number
  readonly outputs: number
  run(inputs: readonly Value[]): Value[]
}

/** What is the same at every evaluation of a node. */
export interface CallInfo {
  /** `node conv1 (Conv)` */
  readonly place: string
  readonly operator: string
  /** The since-version of the operator that the model means. */
  readonly since: number
  readonly attributes: Attributes
  readonly outputs: readonly string[]
  readonly doubles: Doubles
}

export class Call {
  constructor(
    readonly info: CallInfo,
    readonly inputs: readonly (Value | undefined)[],
    /** The graph in an attribute. */
    readonly inner: (attribute: string) => Inner,
  ) {}

  get attributes(): Attributes {
    return this.info.attributes
  }

  get since(): number {
    return this.info.since
  }

  /** How many inputs there are, those left out at the end not counted. */
  get count(): number {
    return this.inputs.length
  }

  /** How many outputs the node has. */
  get outputs(): number {
    return this.info.outputs.length
  }

  /** Whether somebody may read an output. */
  wants(output: number): boolean {
    return (this.info.outputs[output] ?? '') !== ''
  }

  has(input: number): boolean {
    return this.inputs[input] !== undefined
  }

  /** @throws RangeError for an input that is left out */
  value(input: number): Value {
    const value = this.inputs[input]
    if (value === undefined) throw new RangeError(expected('onnx', `an input ${input}`, 'none'))
    return value
  }

  values(): Value[] {
    return this.inputs.map((_, i) => this.value(i))
  }

  type(input: number): ElementType {
    return this.value(input).type
  }

  shape(input: number): Shape {
    return this.value(input).shape
  }

  /** What tensors hold a type as. */
  dtypeOf(type: ElementType): DType {
    const dtype = dtypeOfType(type, this.info.doubles)
    if (dtype === null) throw new TypeError(expected('onnx', 'a type that tensors have', type))
    return dtype
  }

  tensorOf(value: Value): Tensor {
    return value instanceof HostArray ? value.tensor(this.info.doubles) : value.tensor
  }

  tensor(input: number): Tensor {
    return this.tensorOf(this.value(input))
  }

  /** The tensor of an input that may be left out. */
  optional(input: number): Tensor | undefined {
    return this.has(input) ? this.tensor(input) : undefined
  }

  tensors(): Tensor[] {
    return this.inputs.map((_, i) => this.tensor(i))
  }

  /** A tensor, or the number of a scalar that is known: no program holds an input for it. */
  operand(input: number): Tensor | number {
    const value = this.value(input)
    const isNumber = value instanceof HostArray && value.shape.length === 0 && value.type !== 'bool'
    const number = isNumber ? Number(value.data[0]) : Number.NaN
    // An integer that no tensor holds is refused in words by what makes one of it.
    return isNumber && (isFloatType(value.type) || number === (number | 0)) ? number : this.tensorOf(value)
  }

  /** Whether the numbers of an input are known on the host, without evaluating anything. */
  isHost(input: number): boolean {
    return this.inputs[input] instanceof HostArray
  }

  /** Whether those of all inputs are. */
  get isAllHost(): boolean {
    return this.inputs.every((input) => input === undefined || input instanceof HostArray)
  }

  /**
   * The numbers of an input. What is computed is evaluated here and now.
   * @throws TypeError inside compile for what depends on data
   */
  host(input: number): HostArray {
    const value = this.value(input)
    if (value instanceof HostArray) return value
    return value.initial ?? hostOf(value, `input ${input} of ${this.info.place}`)
  }

  /** An input of integers as numbers: a shape, axes, repetitions. */
  integers(input: number): number[] {
    return this.host(input).numbers()
  }

  /** Integers that count places, where what lies beyond ±2⁵³ is the nearest of these: 2⁶³ − 1 means the end. */
  places(input: number): number[] {
    return Array.from(this.host(input).data as ArrayLike<number | bigint>, (x) =>
      Math.min(Number.MAX_SAFE_INTEGER, Math.max(Number.MIN_SAFE_INTEGER, Number(x))),
    )
  }

  optionalIntegers(input: number): number[] | undefined {
    return this.has(input) ? this.integers(input) : undefined
  }

  /** The number of an input of one element. */
  number(input: number): number {
    const { data, size } = this.host(input)
    if (size !== 1) throw new RangeError(expected('onnx', `one element as input ${input}`, size))
    return Number(data[0])
  }

  optionalNumber(input: number): number | undefined {
    return this.has(input) ? this.number(input) : undefined
  }

  /** A result as a value, with the type that a bare tensor has. */
  valueFrom(result: Tensor | Value): Value {
    return valueFrom(result, this.inputs)
  }

  /** A tensor whose elements ONNX calls by another type than those of the inputs. */
  as(type: ElementType, tensor: Tensor): TensorValue {
    return new TensorValue(tensor, type)
  }
}

/** The elements of a tensor, evaluated. */
export function hostOf({ tensor, type }: TensorValue, what: string): HostArray {
  if (isCompiling() && tensor instanceof Variable) throw new DependsOnDataError(what)
  try {
    return HostArray.of(type, tensor.shape, tensor.dataSync())
  } catch (error) {
    if (!isCompiling()) throw error
    throw new DependsOnDataError(what)
  }
}
