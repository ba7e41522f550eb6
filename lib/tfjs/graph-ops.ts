/** Operations of TensorFlow's graphs, by their names there. */
import { normalizeAxis } from '../base/shape.ts'
import { depthwiseWeight, layoutOf, outFirst } from '../keras/layers/convolution.ts'
import { pool } from '../keras/layers/pooling.ts'
import * as g from '../operations/index.ts'
import { arange, full, zeros } from '../tensor/creation.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { GraphNode } from './graph-nodes.ts'
import { type GraphValue, HostArray, hostVector, toTensor } from './host.ts'

/** The inputs of a node. */
export class Inputs {
  constructor(
    readonly node: GraphNode,
    readonly values: readonly GraphValue[],
  ) {}

  tensor(i: number): Tensor {
    const value = this.values[i]
    return value === undefined ? this.node.fail(`input ${i}`, 'none') : toTensor(value)
  }

  get tensors(): Tensor[] {
    return this.values.map(toTensor)
  }

  /** Integers that have to be known: shapes, axes, paddings. */
  integers(i: number): readonly number[] {
    const value = this.values[i]
    return value instanceof HostArray
      ? value.values
      : this.node.fail(`integers that are known as input ${i}`, 'a tensor')
  }

  integer(i: number): number {
    return this.integers(i)[0] ?? this.node.fail(`an integer as input ${i}`, 'none')
  }
}

export type GraphOp = (inputs: Inputs, node: GraphNode) => GraphValue | readonly GraphValue[]

const unary =
  (apply: (x: Tensor) => Tensor): GraphOp =>
  (inputs) =>
    apply(inputs.tensor(0))

const binary =
  (apply: (a: Tensor, b: Tensor) => Tensor): GraphOp =>
  (inputs) =>
    apply(inputs.tensor(0), inputs.tensor(1))

const reduction =
  (apply: (x: Tensor, axes: number[], options: { keepDims: boolean }) => Tensor): GraphOp =>
  (inputs, node) =>
    apply(inputs.tensor(0), [...inputs.integers(1)], { keepDims: node.flag('keep_dims') })

const isLast = (node: GraphNode): boolean => !/^NC/.test(node.text('data_format', 'NHWC'))

/** Of a list of numbers by axes those of height and width. */
function spatial(node: GraphNode, name: string): [number, number] {
  const list = node.integers(name)
  const [h, w] =
    list.length === 4
      ? isLast(node)
        ? [list[1]!, list[2]!]
        : [list[2]!, list[3]!]
      : [list[0] ?? 1, list[1] ?? list[0] ?? 1]
  const isFine = (x: number) => Number.isSafeInteger(x) && x > 0
  return isFine(h) && isFine(w) ? [h, w] : node.fail(`positive ${name}`, list)
}

type Padding = 'same' | 'valid' | readonly [readonly [number, number], readonly [number, number]]

function paddingOf(node: GraphNode): Padding {
  const padding = node.text('padding', 'VALID')
  if (padding !== 'EXPLICIT') return padding === 'SAME' ? 'same' : 'valid'
  const list = node.integers('explicit_paddings')
  const at = isLast(node) ? 2 : 4
  return [
    [list[at] ?? 0, list[at + 1] ?? 0],
    [list[at + 2] ?? 0, list[at + 3] ?? 0],
  ]
}

const windowOf = (node: GraphNode) => ({
  stride: spatial(node, 'strides'),
  dilation: spatial(node, 'dilations'),
  padding: paddingOf(node),
  layout: layoutOf(2, isLast(node)),
})

const conv2d: GraphOp = (inputs, node) => g.conv2d(inputs.tensor(0), outFirst(inputs.tensor(1)), windowOf(node))

const depthwise: GraphOp = (inputs, node) => {
  const kernel = inputs.tensor(1)
  return g.conv2d(inputs.tensor(0), depthwiseWeight(kernel), { ...windowOf(node), groups: kernel.shape[2]! })
}

/** x[…] + bias of the channels. */
function plusBias(x: Tensor, bias: Tensor, node: GraphNode): Tensor {
  return isLast(node) || x.ndim < 3
    ? x.add(bias)
    : x.add(bias.reshape([bias.size, ...new Array<number>(x.ndim - 2).fill(1)]))
}

const activations: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  Relu: (x) => x.relu(),
  Relu6: (x) => g.relu6(x),
  Elu: (x) => g.elu(x),
  Sigmoid: (x) => x.sigmoid(),
  Tanh: (x) => x.tanh(),
}

/** An operation with what was fused behind it: a bias, a normalization, an activation. */
const fused =
  (op: GraphOp): GraphOp =>
  (inputs, node) => {
    let next = 2
    return node.texts('fused_ops').reduce((x, name) => {
      if (name === 'BiasAdd') return plusBias(x, inputs.tensor(next++), node)
      if (name === 'LeakyRelu') return g.leakyRelu(x, node.number('leakyrelu_alpha', 0.2))
      if (name === 'Prelu') return prelu(x, inputs.tensor(next++))
      if (name === 'FusedBatchNorm') {
        const [weight, bias, mean, variance] = [0, 1, 2, 3].map(() => inputs.tensor(next++))
        return normalized(x, { weight: weight!, bias: bias!, mean: mean!, variance: variance! }, node)
      }
      return Object.hasOwn(activations, name)
        ? activations[name]!(x)
        : node.fail('fused operations that are known', name)
    }, op(inputs, node) as Tensor)
  }

const prelu = (x: Tensor, slope: Tensor): Tensor => x.relu().sub(x.neg().relu().mul(slope))

interface Statistics {
  readonly weight: Tensor
  readonly bias: Tensor
  readonly mean: Tensor
  readonly variance: Tensor
}

const normalized = (x: Tensor, statistics: Statistics, node: GraphNode): Tensor =>
  g.batchNorm(x, { ...statistics, epsilon: node.number('epsilon', 1e-4), axis: isLast(node) ? -1 : 1 })

/** In evaluation mode; statistics of a batch are no part of a graph that was saved for inference. */
const batchNorm: GraphOp = (inputs, node) => {
  if (node.flag('is_training', true) && node.attributes.is_training !== undefined)
    node.fail('is_training as false', true)
  const [weight, bias, mean, variance] = [1, 2, 3, 4].map((i) => inputs.tensor(i))
  return [normalized(inputs.tensor(0), { weight: weight!, bias: bias!, mean: mean!, variance: variance! }, node)]
}

const matmul: GraphOp = (inputs, node) => {
  const turned = (x: Tensor, names: readonly string[]) =>
    names.some((name) => node.flag(name)) ? g.swapAxes(x, -1, -2) : x
  return turned(inputs.tensor(0), ['transpose_a', 'adj_x']).matmul(turned(inputs.tensor(1), ['transpose_b', 'adj_y']))
}

const pooling =
  (kind: 'max' | 'average'): GraphOp =>
  (inputs, node) => {
    const padding = paddingOf(node)
    if (typeof padding !== 'string') return node.fail('padding as SAME or VALID', 'EXPLICIT')
    const [size, stride] = [spatial(node, 'ksize'), spatial(node, 'strides')]
    return pool(inputs.tensor(0), { kind, axes: 2, size, stride, padding, isLast: isLast(node) })
  }

function pairsOf(node: GraphNode, widths: readonly number[]): [number, number][] {
  if (widths.length % 2 !== 0) node.fail('paddings in pairs', widths)
  return Array.from({ length: widths.length / 2 }, (_, i) => [widths[2 * i]!, widths[2 * i + 1]!])
}

const pad: GraphOp = (inputs, node) => {
  const [x, widths] = [inputs.tensor(0), pairsOf(node, inputs.integers(1))]
  if (inputs.values.length < 3) return g.pad(x, widths)
  // The value may be any tensor, whereas what is padded with is a number.
  const value = inputs.tensor(2)
  return g.pad(x.sub(value), widths).add(value)
}

/** One extent may be −1, for what is left. */
const reshape: GraphOp = (inputs) => {
  const x = inputs.tensor(0)
  const shape = inputs.integers(1)
  const known = shape.filter((extent) => extent !== -1).reduce((product, extent) => product * extent, 1)
  return x.reshape(shape.map((extent) => (extent === -1 ? (known === 0 ? 0 : x.size / known) : extent)))
}

/** A part along one axis, or a new axis. */
interface Cut {
  /** Null is where the step comes from, or goes to. */
  readonly from: number | null
  readonly to: number | null
  readonly step: number
  /** Whether the axis goes, of which one element is taken. */
  readonly isOne: boolean
}

const stridedSlice: GraphOp = (inputs, node) => {
  const x = inputs.tensor(0)
  const cuts = cutsOf(inputs, node, x.shape)
  const axes = cuts.filter((cut) => cut !== 'new')
  const part = g.slice(
    x,
    axes.map(({ from }) => from),
    axes.map(({ to }) => to),
    { step: axes.map(({ step }) => step) },
  )
  let axis = 0
  const shape = cuts.flatMap((cut) => {
    if (cut === 'new') return [1]
    const extent = part.shape[axis++]!
    return cut.isOne ? [] : [extent]
  })
  return part.reshape(shape)
}

/** What is done with each axis of a tensor, in order; an ellipsis stands for all that are not named. */
function cutsOf(inputs: Inputs, node: GraphNode, shape: readonly number[]): (Cut | 'new')[] {
  const [begin, end, step] = [inputs.integers(1), inputs.integers(2), inputs.integers(3)]
  const has = (name: string, i: number) => ((node.integer(name, 0) >> i) & 1) === 1
  const named = begin.filter((_, i) => !has('new_axis_mask', i) && !has('ellipsis_mask', i)).length
  const cuts: (Cut | 'new')[] = []
  const whole: Cut = { from: null, to: null, step: 1, isOne: false }
  let axis = 0
  for (const [i, from] of begin.entries()) {
    const isWide = has('ellipsis_mask', i)
    if (isWide) cuts.push(...new Array<Cut>(Math.max(shape.length - named, 0)).fill(whole))
    else cuts.push(has('new_axis_mask', i) ? 'new' : cutOf(i, from, shape[axis]))
    axis = cuts.filter((cut) => cut !== 'new').length
  }
  return [...cuts, ...new Array<Cut>(Math.max(shape.length - axis, 0)).fill(whole)]

  function cutOf(i: number, from: number, extent: number | undefined): Cut {
    if (extent === undefined) return node.fail('as many axes as are cut', shape)
    if (has('shrink_axis_mask', i)) {
      const at = from < 0 ? from + extent : from
      return { from: at, to: at + 1, step: 1, isOne: true }
    }
    return {
      from: has('begin_mask', i) ? null : from,
      to: has('end_mask', i) ? null : (end[i] ?? null),
      step: step[i] ?? 1,
      isOne: false,
    }
  }
}

const slice: GraphOp = (inputs) => {
  const x = inputs.tensor(0)
  const [begin, size] = [inputs.integers(1), inputs.integers(2)]
  return g.slice(
    x,
    [...begin],
    begin.map((from, i) => (size[i] === -1 ? x.shape[i]! : from + size[i]!)),
  )
}

const squeeze: GraphOp = (inputs, node) => {
  const x = inputs.tensor(0)
  const given = [...node.integers('squeeze_dims'), ...node.integers('axis')]
  const axes = given.map((axis) => normalizeAxis('Squeeze', axis, x.ndim))
  return x.reshape(x.shape.filter((extent, i) => (axes.length === 0 ? extent !== 1 : !axes.includes(i))))
}

const gather: GraphOp = (inputs) => {
  const axis = inputs.values.length > 2 ? inputs.integer(2) : 0
  return g.take(inputs.tensor(0), inputs.tensor(1), axis)
}

const split: GraphOp = (inputs, node) => {
  const count = node.integer('num_split', 1)
  return count >= 1 && count <= 4096
    ? (g.split(inputs.tensor(1), count, inputs.integer(0)) as unknown as Tensor[])
    : node.fail('a number of parts', count)
}

/** Of the same places as TensorFlow.js: with `align_corners`, of the centres of pixels, or of their corners. */
const resize =
  (mode: 'bilinear' | 'nearest'): GraphOp =>
  (inputs, node) => {
    const [height, width] = inputs.integers(1)
    const isCount = (x: number | undefined): x is number => x !== undefined && x > 0 && x <= 2 ** 16
    if (!isCount(height) || !isCount(width)) return node.fail('a size up to 65536', inputs.integers(1))
    const x = inputs.tensor(0)
    const [aligns, centres] = [node.flag('align_corners'), node.flag('half_pixel_centers')]
    const size = [height, width] as const
    const [, rows, columns] = x.shape
    const isEqual = rows === height && columns === width
    if (isEqual) return x
    if (mode === 'nearest' && !aligns) return nearest(x, size, centres)
    if (mode === 'nearest') return node.fail('align_corners as false', true)
    if (!aligns && !centres) return corners(x, size)
    return g.upsample(x, { mode, size, alignCorners: aligns, layout: 'NHWC' })
  }

/** The element at ⌊i·n / out⌋, or with centres ⌊(i + ½)·n / out⌋. */
function nearest(x: Tensor, size: readonly [number, number], centres: boolean): Tensor {
  return size.reduce((y, out, axis) => {
    const extent = y.shape[axis + 1]!
    const places = Array.from({ length: out }, (_, i) =>
      Math.min(Math.floor(((i + (centres ? 0.5 : 0)) * extent) / out), extent - 1),
    )
    return g.take(y, hostInt(places), axis + 1)
  }, x)
}

/** Between the elements at ⌊i·n / out⌋ and the next one. */
function corners(x: Tensor, size: readonly [number, number]): Tensor {
  return size.reduce((y, out, axis) => {
    const extent = y.shape[axis + 1]!
    const places = Array.from({ length: out }, (_, i) => (i * extent) / out)
    const low = places.map((place) => Math.min(Math.floor(place), extent - 1))
    const shares = new Float32Array(places.map((place, i) => place - low[i]!))
    const share = g.reshape(
      shares,
      y.shape.map((_, i) => (i === axis + 1 ? out : 1)),
    )
    const [a, b] = [low, low.map((place) => Math.min(place + 1, extent - 1))].map((at) =>
      g.take(y, hostInt(at), axis + 1),
    )
    return a!.add(b!.sub(a!).mul(share))
  }, x)
}

const hostInt = (values: readonly number[]): Tensor => toTensor(hostVector(values))

const dtypes = {
  DT_FLOAT: 'float32',
  DT_DOUBLE: 'float32',
  DT_HALF: 'float32',
  DT_INT32: 'int32',
  DT_INT64: 'int32',
  DT_UINT8: 'uint8',
  DT_BOOL: 'bool',
} as const

const cast: GraphOp = (inputs, node) => {
  const type = node.type('DstT', 'DT_FLOAT')
  const dtype = Object.hasOwn(dtypes, type)
    ? dtypes[type as keyof typeof dtypes]
    : node.fail('a dtype of numbers', type)
  return inputs.tensor(0).cast(dtype)
}

const fill: GraphOp = (inputs) => {
  const value = inputs.values[1]
  const shape = [...inputs.integers(0)]
  return value instanceof HostArray
    ? full(shape, value.values[0]!, { dtype: 'int32' })
    : g.broadcastTo(inputs.tensor(1), shape)
}

/** Whoever reads the shape of a tensor gets integers that are known. */
const shapeOf: GraphOp = (inputs) => hostVector(inputs.tensor(0).shape)

export const graphOps: Readonly<Record<string, GraphOp>> = {
  Identity: (inputs) => inputs.values[0] ?? inputs.node.fail('an input', 'none'),
  IdentityN: (inputs) => inputs.values,
  StopGradient: unary((x) => x.stopGradient()),
  PreventGradient: unary((x) => x),
  Shape: shapeOf,
  Size: (inputs) => new HostArray([], [inputs.tensor(0).size]),
  Rank: (inputs) => new HostArray([], [inputs.tensor(0).ndim]),
  MatMul: matmul,
  BatchMatMul: matmul,
  BatchMatMulV2: matmul,
  _FusedMatMul: fused(matmul),
  Conv2D: conv2d,
  _FusedConv2D: fused(conv2d),
  DepthwiseConv2dNative: depthwise,
  FusedDepthwiseConv2dNative: fused(depthwise),
  FusedBatchNorm: batchNorm,
  FusedBatchNormV2: batchNorm,
  FusedBatchNormV3: batchNorm,
  BiasAdd: (inputs, node) => plusBias(inputs.tensor(0), inputs.tensor(1), node),
  MaxPool: pooling('max'),
  AvgPool: pooling('average'),
  Prelu: (inputs) => prelu(inputs.tensor(0), inputs.tensor(1)),
  Relu: unary((x) => x.relu()),
  Relu6: unary((x) => g.relu6(x)),
  LeakyRelu: (inputs, node) => g.leakyRelu(inputs.tensor(0), node.number('alpha', 0.2)),
  Elu: unary((x) => g.elu(x)),
  Selu: unary((x) => g.selu(x)),
  Sigmoid: unary((x) => x.sigmoid()),
  Tanh: unary((x) => x.tanh()),
  Softplus: unary((x) => g.softplus(x)),
  Softsign: unary((x) => g.softsign(x)),
  Softmax: unary((x) => g.softmax(x)),
  LogSoftmax: unary((x) => g.logSoftmax(x)),
  Abs: unary((x) => g.abs(x)),
  Neg: unary((x) => x.neg()),
  Exp: unary((x) => x.exp()),
  Expm1: unary((x) => g.expm1(x)),
  Log: unary((x) => x.log()),
  Log1p: unary((x) => g.log1p(x)),
  Sqrt: unary((x) => x.sqrt()),
  Rsqrt: unary((x) => g.rsqrt(x)),
  Reciprocal: unary((x) => g.reciprocal(x)),
  Square: unary((x) => x.square()),
  Sin: unary((x) => g.sin(x)),
  Cos: unary((x) => g.cos(x)),
  Erf: unary((x) => g.erf(x)),
  Floor: unary((x) => g.floor(x)),
  Ceil: unary((x) => g.ceil(x)),
  Round: unary((x) => g.round(x)),
  Sign: unary((x) => g.sign(x)),
  LogicalNot: unary((x) => g.logicalNot(x)),
  Add: binary((a, b) => a.add(b)),
  AddV2: binary((a, b) => a.add(b)),
  AddN: (inputs) => inputs.tensors.reduce((a, b) => a.add(b)),
  Sub: binary((a, b) => a.sub(b)),
  Mul: binary((a, b) => a.mul(b)),
  Div: binary((a, b) => a.div(b)),
  RealDiv: binary((a, b) => a.div(b)),
  DivNoNan: binary((a, b) => g.where(b.equal(0), 0, a.div(b))),
  FloorDiv: binary((a, b) => g.floorDiv(a, b)),
  FloorMod: binary((a, b) => g.mod(a, b)),
  Pow: binary((a, b) => a.pow(b)),
  SquaredDifference: binary((a, b) => a.sub(b).square()),
  Maximum: binary((a, b) => g.maximum(a, b)),
  Minimum: binary((a, b) => g.minimum(a, b)),
  ClipByValue: (inputs) => g.minimum(g.maximum(inputs.tensor(0), inputs.tensor(1)), inputs.tensor(2)),
  Equal: binary((a, b) => g.equal(a, b)),
  NotEqual: binary((a, b) => g.notEqual(a, b)),
  Greater: binary((a, b) => g.greater(a, b)),
  GreaterEqual: binary((a, b) => g.greaterEqual(a, b)),
  Less: binary((a, b) => g.less(a, b)),
  LessEqual: binary((a, b) => g.lessEqual(a, b)),
  LogicalAnd: binary((a, b) => g.logicalAnd(a, b)),
  LogicalOr: binary((a, b) => g.logicalOr(a, b)),
  Select: (inputs) => g.where(inputs.tensor(0), inputs.tensor(1), inputs.tensor(2)),
  SelectV2: (inputs) => g.where(inputs.tensor(0), inputs.tensor(1), inputs.tensor(2)),
  Mean: reduction((x, axes, options) => g.mean(x, axes, options)),
  Sum: reduction((x, axes, options) => g.sum(x, axes, options)),
  Max: reduction((x, axes, options) => g.max(x, axes, options)),
  Min: reduction((x, axes, options) => g.min(x, axes, options)),
  Prod: reduction((x, axes, options) => g.prod(x, axes, options)),
  All: reduction((x, axes, options) => g.all(x, axes, options)),
  Any: reduction((x, axes, options) => g.any(x, axes, options)),
  ArgMax: (inputs) => g.argmax(inputs.tensor(0), inputs.integer(1)),
  ArgMin: (inputs) => g.argmin(inputs.tensor(0), inputs.integer(1)),
  Reshape: reshape,
  Squeeze: squeeze,
  ExpandDims: (inputs) => g.expandDims(inputs.tensor(0), inputs.integer(1)),
  Transpose: (inputs) => inputs.tensor(0).permute([...inputs.integers(1)]),
  ConcatV2: (inputs) => g.concat(inputs.tensors.slice(0, -1), inputs.integer(inputs.values.length - 1)),
  Pack: (inputs, node) => g.stack(inputs.tensors, node.integer('axis', 0)),
  Unpack: (inputs, node) => g.unstack(inputs.tensor(0), node.integer('axis', 0)) as unknown as Tensor[],
  Split: split,
  Slice: slice,
  StridedSlice: stridedSlice,
  GatherV2: gather,
  Gather: gather,
  Pad: pad,
  PadV2: pad,
  MirrorPad: (inputs, node) =>
    g.pad(inputs.tensor(0), pairsOf(node, inputs.integers(1)), {
      mode:
        node.text('mode', 'REFLECT') === 'REFLECT' ? 'reflect' : node.fail('mode as REFLECT', node.text('mode', '')),
    }),
  Tile: (inputs) => g.tile(inputs.tensor(0), [...inputs.integers(1)]),
  BroadcastTo: (inputs) => g.broadcastTo(inputs.tensor(0), [...inputs.integers(1)]),
  Fill: fill,
  ZerosLike: unary((x) => zeros(x.shape, { dtype: x.dtype })),
  OnesLike: unary((x) => full(x.shape, 1, { dtype: x.dtype })),
  Range: (inputs) => arange(inputs.integer(0), inputs.integer(1), { step: inputs.integer(2), dtype: 'int32' } as never),
  Cast: cast,
  ResizeBilinear: resize('bilinear'),
  ResizeNearestNeighbor: resize('nearest'),
}
