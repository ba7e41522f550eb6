/** What makes the nodes of an ONNX graph: names, constants, attributes, and what differs between operator sets. */
import { type DType, scalarArray, type TypedArray } from '../../base/dtype.ts'
import { expected, InternalError } from '../../base/errors.ts'
import { elementAt } from '../../base/lists.ts'
import { type BatchDim, type Dim, isFixed, sameDim } from './dims.ts'
import {
  type Attribute,
  dataTypes,
  type ElementType,
  type GraphMessage,
  type NodeMessage,
  type TensorMessage,
  type ValueMessage,
} from './messages.ts'

/** The operator sets that can be written. */
export const opsets = { first: 13, last: 23 } as const

const textEncoder = new TextEncoder()

export const int = (i: number): Attribute => ({ type: 2, i: BigInt(i) })
export const ints = (list: readonly number[]): Attribute => ({ type: 7, ints: list.map(BigInt) })
export const float = (f: number): Attribute => ({ type: 1, f })
export const text = (s: string): Attribute => ({ type: 3, s: textEncoder.encode(s) })
const tensor = (t: TensorMessage): Attribute => ({ type: 4, t })
export const body = (g: GraphMessage): Attribute => ({ type: 5, g })

type Attributes = Readonly<Record<string, Attribute>>

/** The names of a model, and its constants, which all of its graphs read. */
export class Names {
  readonly #taken = new Set<string>()
  readonly #counts = new Map<string, number>()

  /** @throws TypeError where something else has the name */
  reserve(op: string, what: string, name: string): void {
    if (name === '') throw new TypeError(expected(op, `a name for ${what}`, 'none'))
    if (this.#taken.has(name)) throw new TypeError(expected(op, `a name of its own for ${what}`, `${name} again`))
    this.#taken.add(name)
  }

  /** A name that nothing else has: `MatMul_0`. */
  fresh(stem: string): string {
    for (let count = this.#counts.get(stem) ?? 0; ; count++) {
      const name = `${stem}_${count}`
      if (this.#taken.has(name)) continue
      this.#counts.set(stem, count + 1)
      this.#taken.add(name)
      return name
    }
  }
}

/** Constants of at most so many elements are there once, however often they are read. */
const mostShared = 64

export class Builder {
  readonly initializers: TensorMessage[] = []
  readonly #shared = new Map<string, string>()
  readonly #batchDims: { readonly dim: BatchDim; readonly name: string }[] = []
  /** The nodes of the graph that is being made: those of the innermost body. */
  #nodes: NodeMessage[] = []
  readonly #outermost = this.#nodes
  readonly #constants: NodeMessage[] = []

  /** @param batchInput the input whose first dimension is the batch; null where every dimension is fixed */
  constructor(
    readonly op: string,
    readonly opset: number,
    readonly names: Names,
    readonly batchInput: string | null,
  ) {}

  /** Those of the outermost graph: first the constants, which all of its graphs may read. */
  get nodes(): readonly NodeMessage[] {
    return [...this.#constants, ...this.#outermost]
  }

  /** @throws RangeError where the operator set is an older one */
  requires(opset: number, name: string): void {
    if (this.opset < opset) throw new RangeError(expected(this.op, `opset ${opset} or later for ${name}`, this.opset))
  }

  /** Appends a node of one output, and gives the name of that. */
  node(opType: string, inputs: readonly string[], attributes: Attributes = {}): string {
    return elementAt(this.several(opType, inputs, 1, attributes), 0)
  }

  /** Appends a node of several outputs. */
  several(opType: string, inputs: readonly string[], outputs: number, attributes: Attributes = {}): string[] {
    const name = this.names.fresh(opType)
    const output = outputs === 1 ? [name] : Array.from({ length: outputs }, () => this.names.fresh(`${name}_output`))
    this.#nodes.push(nodeMessage(opType, inputs, output, attributes))
    return output
  }

  /** Runs what appends the nodes of a body, and gives these. */
  inBody<T>(make: () => T): { result: T; nodes: NodeMessage[] } {
    const outer = this.#nodes
    const nodes: NodeMessage[] = []
    this.#nodes = nodes
    try {
      return { result: make(), nodes }
    } finally {
      this.#nodes = outer
    }
  }

  // --- Parameters and constants ---------------------------------------------------------------------------------------

  /** A parameter: readers take initializers for what may be trained, and no constants. */
  initializer(name: string, type: ElementType, dims: readonly number[], bytes: Uint8Array<ArrayBuffer>): string {
    this.initializers.push(tensorMessage(name, type, dims, bytes))
    return name
  }

  constant(type: ElementType, dims: readonly number[], array: TypedArray | BigInt64Array<ArrayBuffer>): string {
    const bytes = bytesOf(array)
    const make = () => {
      const name = this.names.fresh('Constant')
      this.#constants.push(nodeMessage('Constant', [], [name], { value: tensor(tensorMessage('', type, dims, bytes)) }))
      return name
    }
    if (array.length > mostShared) return make()
    const key = `${type} ${dims.join()} ${bytes.join()}`
    const name = this.#shared.get(key) ?? make()
    this.#shared.set(key, name)
    return name
  }

  scalar(value: number, dtype: DType): string {
    return this.constant(dtype, [], scalarArray(dtype, value))
  }

  /** int64[n], as shapes and axes are. */
  ints(list: readonly number[]): string {
    return this.constant('int64', [list.length], BigInt64Array.from(list, BigInt))
  }

  // --- Shapes ---------------------------------------------------------------------------------------------------------

  /** A shape, or other numbers of which some follow from the batch: int64[n]. */
  dims(dims: readonly Dim[]): string {
    if (dims.every(isFixed)) return this.ints(dims)
    const pieces: string[] = []
    let run: number[] = []
    for (const dim of dims) {
      if (isFixed(dim)) run.push(dim)
      else {
        if (run.length > 0) pieces.push(this.ints(run))
        run = []
        pieces.push(this.#batchDim(dim))
      }
    }
    if (run.length > 0) pieces.push(this.ints(run))
    const [only] = pieces
    return pieces.length === 1 ? only! : this.node('Concat', pieces, { axis: int(0) })
  }

  /** int64[1]: computed once, in the outermost graph, as all bodies may read it. */
  #batchDim(dim: BatchDim): string {
    const known = this.#batchDims.find((other) => sameDim(other.dim, dim))
    if (known !== undefined) return known.name
    const name = this.#outside(() => {
      const batch = dim.factor === 1 && dim.offset === 0 ? this.#batchSize() : this.#batchDim({ factor: 1, offset: 0 })
      const scaled = dim.factor === 1 ? batch : this.node('Mul', [batch, this.ints([dim.factor])])
      return dim.offset === 0 ? scaled : this.node('Add', [scaled, this.ints([dim.offset])])
    })
    this.#batchDims.push({ dim, name })
    return name
  }

  #batchSize(): string {
    if (this.batchInput === null) throw new InternalError('a dimension of the batch without one')
    if (this.opset >= 15) return this.node('Shape', [this.batchInput], { start: int(0), end: int(1) })
    return this.node('Slice', [this.node('Shape', [this.batchInput]), this.ints([0]), this.ints([1])])
  }

  #outside<T>(make: () => T): T {
    const inner = this.#nodes
    this.#nodes = this.#outermost
    try {
      return make()
    } finally {
      this.#nodes = inner
    }
  }

  /** x[from] under the shape `to`: 0 stands for the dimension of x at that place, −1 for what is left. */
  reshape(x: string, from: readonly Dim[], to: readonly Dim[]): string {
    if (to.includes(0)) {
      this.requires(14, 'a shape with a dimension of 0')
      return this.node('Reshape', [x, this.dims(to)], { allowzero: int(1) })
    }
    const kept = to.map((dim, axis) => !isFixed(dim) && from[axis] !== undefined && sameDim(dim, from[axis]))
    const left = to.filter((dim, axis) => !isFixed(dim) && !kept[axis])
    if (left.length > 1) return this.node('Reshape', [x, this.dims(to)])
    // One alone is −1 wherever it is, which other tools read most easily.
    const isAlone = to.filter((dim) => !isFixed(dim)).length === 1
    return this.node('Reshape', [
      x,
      this.ints(to.map((dim, axis) => (isFixed(dim) ? dim : kept[axis] && !isAlone ? 0 : -1))),
    ])
  }

  // --- What differs between operator sets -------------------------------------------------------------------------------

  /** A reduction whose axes stay with extent 1: the axes are an input from opset 18 on, of sums from 13 on. */
  reduce(opType: string, x: string, axes: readonly number[]): string {
    const areInput = this.opset >= 18 || opType === 'ReduceSum'
    return areInput
      ? this.node(opType, [x, this.ints(axes)], { keepdims: int(1) })
      : this.node(opType, [x], { axes: ints(axes), keepdims: int(1) })
  }

  /** The outputs of an axis that is cut: the sizes are an input in every set that is written. */
  split(x: string, axis: number, sizes: readonly Dim[]): string[] {
    return this.several('Split', [x, this.dims(sizes)], sizes.length, { axis: int(axis) })
  }

  cast(x: string, type: ElementType): string {
    return this.node('Cast', [x], { to: int(dataTypes[type]) })
  }

  /** The type of an input or output; dimensions that are no plain multiple of the batch have no name. */
  value(name: string, type: ElementType, shape: readonly Dim[]): ValueMessage {
    const dim = shape.map((extent) => ({ value: dimensionOf(extent) }))
    return { name, type: { value: { case: 'tensorType', value: { elemType: dataTypes[type], shape: { dim } } } } }
  }
}

const nodeMessage = (
  opType: string,
  input: readonly string[],
  output: readonly string[],
  attributes: Attributes,
): NodeMessage => ({
  ...{ name: `node_${output[0]}`, opType, input: input.slice(), output: output.slice() },
  attribute: Object.entries(attributes).map(([key, attribute]) => ({ name: key, ...attribute })),
})

const tensorMessage = (
  name: string,
  type: ElementType,
  dims: readonly number[],
  rawData: Uint8Array<ArrayBuffer>,
): TensorMessage => ({ name, dataType: dataTypes[type], dims: dims.map(BigInt), rawData })

function dimensionOf(dim: Dim) {
  if (isFixed(dim)) return { case: 'dimValue', value: BigInt(dim) } as const
  const isBatch = dim.factor === 1 && dim.offset === 0
  return isBatch ? ({ case: 'dimParam', value: 'batch' } as const) : ({ case: undefined } as const)
}

/** Little-endian, as the processors are that the library runs on. */
export const bytesOf = ({
  buffer,
  byteOffset,
  byteLength,
}: TypedArray | BigInt64Array<ArrayBuffer>): Uint8Array<ArrayBuffer> => new Uint8Array(buffer, byteOffset, byteLength)
