/** Convolutions of images and their adjoints, and pooling by the greatest. */
import { elementAt } from '../../base/lists.ts'
import type { convolutionOps } from '../../graph/ops/convolution.ts'
import type { poolingOps } from '../../graph/ops/pooling.ts'
import type { Convolution, Windows } from '../../program/schema.ts'
import { type Builder, int, ints, text } from './builder.ts'
import type { Dim, Symbolic } from './dims.ts'
import type { ExportedGraph, Operation } from './graph.ts'
import type { Rows } from './row.ts'
import type { Scope } from './scope.ts'

type Geometry = Omit<Convolution, 'batch'>

/** All but the batch, which no operator is told. */
const fixedOf = <G extends Windows>(graph: ExportedGraph, name: string, params: Symbolic<G>): Omit<G, 'batch'> =>
  Object.fromEntries(
    Object.entries(params as Readonly<Record<string, Dim>>)
      .filter(([key]) => key !== 'batch')
      .map(([key, dim]) => [key, graph.fixed(name, `the ${key}`, dim)]),
  ) as Omit<G, 'batch'>

/** What the windows meet after the last element: negative where they leave elements out. */
function endsOf(p: Omit<Windows, never>): { bottom: number; right: number } {
  const reach = (out: number, stride: number, kernel: number, dilation: number) =>
    (out - 1) * stride + (kernel - 1) * dilation + 1
  return {
    bottom: reach(p.outHeight, p.strideHeight, p.kernelHeight, p.dilationHeight) - p.height - p.padTop,
    right: reach(p.outWidth, p.strideWidth, p.kernelWidth, p.dilationWidth) - p.width - p.padLeft,
  }
}

/** The attributes of windows; what the last of them leave out is not padded. */
function windowsOf(p: Windows) {
  const { bottom, right } = endsOf(p)
  return {
    kernel_shape: ints([p.kernelHeight, p.kernelWidth]),
    strides: ints([p.strideHeight, p.strideWidth]),
    dilations: ints([p.dilationHeight, p.dilationWidth]),
    pads: ints([p.padTop, p.padLeft, Math.max(bottom, 0), Math.max(right, 0)]),
  }
}

/** The first rows and columns of images: what is there beyond was not asked for. */
const cropped = (builder: Builder, x: string, [height, width]: readonly [number, number]): string =>
  builder.node('Slice', [x, builder.ints([0, 0]), builder.ints([height, width]), builder.ints([2, 3])])

/** A convolution, with a bias for each channel if there is one. */
export function convolution(scope: Scope, operation: Operation<Symbolic<Convolution>>, ...bias: Operation[]): string {
  const p = fixedOf<Convolution>(scope.graph, 'conv2d', operation.params)
  const operands = [...operation.inputs, ...bias].map(scope.of)
  return scope.builder.node('Conv', operands, { ...windowsOf(p), group: int(p.groups) })
}

/** ConvTranspose gives the images whose windows these are, and rows and columns more where the last windows end before them. */
function inputGradient(builder: Builder, dy: string, w: string, p: Geometry): string {
  const { bottom, right } = endsOf(p)
  return builder.node('ConvTranspose', [dy, w], {
    ...windowsOf(p),
    group: int(p.groups),
    ...(bottom < 0 || right < 0 ? { output_padding: ints([Math.max(-bottom, 0), Math.max(-right, 0)]) } : {}),
  })
}

/** The convolution of the images with the cotangents as kernels, batch and channels exchanged: strides become dilations. */
function weightGradient({ builder }: Scope, x: string, dy: string, p: Geometry): string {
  const exchange = (images: string) => builder.node('Transpose', [images], { perm: ints([1, 0, 2, 3]) })
  const parts = (images: string, size: number) =>
    p.groups === 1 ? [images] : builder.split(images, 1, new Array<number>(p.groups).fill(size))
  const [images, cotangents] = [parts(x, p.channels), parts(dy, p.filters)]
  const { bottom, right } = endsOf(p)
  const gradients = images.map((image, group) => {
    const whole = builder.node('Conv', [exchange(image), exchange(elementAt(cotangents, group))], {
      strides: ints([p.dilationHeight, p.dilationWidth]),
      dilations: ints([p.strideHeight, p.strideWidth]),
      pads: ints([p.padTop, p.padLeft, Math.max(bottom, 0), Math.max(right, 0)]),
    })
    return exchange(cropped(builder, whole, [p.kernelHeight, p.kernelWidth]))
  })
  return gradients.length === 1 ? gradients[0]! : builder.node('Concat', gradients, { axis: int(0) })
}

export const convolutionRows: Rows<keyof typeof convolutionOps> = {
  conv2d: (scope, operation) => convolution(scope, operation),
  conv2dInputGradient: ({ builder, graph }, { params }, dy, w) =>
    inputGradient(builder, dy, w, fixedOf<Convolution>(graph, 'conv2dInputGradient', params)),
  conv2dWeightGradient: (scope, { params }, x, dy) =>
    weightGradient(scope, x, dy, fixedOf<Convolution>(scope.graph, 'conv2dWeightGradient', params)),
}

/** The greatest of each window, and its place among all elements. */
const greatest = (builder: Builder, x: string, p: Windows): string[] => builder.several('MaxPool', [x], 2, windowsOf(p))

const flat = (builder: Builder, x: string): string => builder.node('Reshape', [x, builder.ints([-1])])

export const poolingRows: Rows<keyof typeof poolingOps> = {
  // Elements of z at the greatest of x: of x itself mostly.
  maxPool2d({ builder, graph }, { params, inputs: [of, from] }, x, z) {
    const windows = fixedOf<Windows>(graph, 'maxPool2d', params) as Windows
    if (of === from) return builder.node('MaxPool', [x], windowsOf(windows))
    const [, places] = greatest(builder, x, windows)
    return builder.node('Gather', [flat(builder, z), places!], { axis: int(0) })
  },
  maxPool2dGradient({ builder, graph }, { params, inputs, dtype }, x, ct) {
    builder.requires(16, 'the gradient of maxPool2d')
    const [, places] = greatest(builder, x, fixedOf<Windows>(graph, 'maxPool2dGradient', params) as Windows)
    const zeros = builder.node('Expand', [builder.scalar(0, dtype), builder.node('Shape', [flat(builder, x)])])
    const sums = builder.node('ScatterElements', [zeros, flat(builder, places!), flat(builder, ct)], {
      axis: int(0),
      reduction: text('add'),
    })
    return builder.node('Reshape', [sums, builder.dims(elementAt(inputs, 0).shape)])
  },
}
