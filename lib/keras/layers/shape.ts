/** Layers that move elements, leave some out, or put some in. */
import * as g from '../../operations/index.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Config } from '../config.ts'
import { asFloat, type Make } from '../layer.ts'
import { masked } from '../masks.ts'
import { isChannelsLast, layoutOf } from './convolution.ts'

/** All but the batch in one axis, channels last. */
const flatten: Make = (config) => {
  const isLast = isChannelsLast(config)
  return {
    forward(_, { x }) {
      if (x.ndim === 1) return x.reshape([x.shape[0]!, 1])
      const ordered = isLast || x.ndim < 3 ? x : g.moveAxis(x, 1, -1)
      return ordered.reshape([x.shape[0]!, sizeWithoutBatch(x)])
    },
  }
}

const sizeWithoutBatch = ({ shape }: Tensor): number => shape.slice(1).reduce((size, extent) => size * extent, 1)

const reshape: Make = (config) => {
  const target = config.integers('target_shape')
  const known = target.filter((extent) => extent !== -1)
  if (target.length - known.length > 1 || known.some((extent) => extent < 0))
    config.fail('target_shape of extents, one of them −1', target)
  return {
    forward(_, { x }) {
      const product = known.reduce((size, extent) => size * extent, 1)
      const rest = product === 0 ? 0 : sizeWithoutBatch(x) / product
      return x.reshape([x.shape[0]!, ...target.map((extent) => (extent === -1 ? rest : extent))])
    },
  }
}

/** Axes count from 1, that of the batch stays. */
const permute: Make = (config) => {
  const dims = config.integers('dims')
  return { forward: (_, { x }) => x.permute([0, ...dims]) }
}

const repeatVector: Make = (config) => {
  const n = config.count('n')
  return {
    forward: (_, { x }) => g.broadcastTo(g.expandDims(x, 1), [x.shape[0]!, n, ...x.shape.slice(1)]),
  }
}

type Sides = readonly [before: number, after: number]

/** An option of two numbers for each axis: one for all, one for each, or both. */
function sidesOf(config: Config, option: string, axes: number): Sides[] {
  const value = config.get(option) ?? 1
  const isCount = (x: unknown): x is number => Number.isInteger(x) && (x as number) >= 0 && (x as number) < 2 ** 31
  const sides = (x: unknown): Sides => {
    if (isCount(x)) return [x, x]
    const isPair = Array.isArray(x) && x.length === 2 && x.every(isCount)
    return isPair ? (x as unknown as Sides) : config.fail(`${option} of ${axes} axes`, value)
  }
  if (isCount(value)) return new Array<Sides>(axes).fill([value, value])
  if (axes === 1) return [sides(value)]
  return Array.isArray(value) && value.length === axes
    ? value.map(sides)
    : config.fail(`${option} of ${axes} axes`, value)
}

/** Those of the images among those of all axes. */
const around = (sides: readonly Sides[], isLast: boolean): Sides[] =>
  isLast ? [[0, 0], ...sides, [0, 0]] : [[0, 0], [0, 0], ...sides]

const zeroPadding =
  (axes: 1 | 2 | 3): Make =>
  (config) => {
    const widths = around(sidesOf(config, 'padding', axes), isChannelsLast(config))
    return { forward: (_, { x }) => g.pad(x, widths) }
  }

const cropping =
  (axes: 1 | 2 | 3): Make =>
  (config) => {
    const cuts = around(sidesOf(config, 'cropping', axes), isChannelsLast(config))
    return {
      forward: (_, { x }) =>
        g.slice(
          x,
          cuts.map(([before]) => before),
          cuts.map(([before, after], i) => Math.max(before, (x.shape[i] ?? 0) - after)),
        ),
    }
  }

/** Of larger ones even the list of places would be a burden. */
const mostScale = 2 ** 16

const upSampling =
  (axes: 1 | 2 | 3): Make =>
  (config) => {
    const size = config.counts('size', axes, 2, mostScale)
    const isLast = axes === 1 || isChannelsLast(config)
    const mode = config.choice('interpolation', axes === 2 ? ['nearest', 'bilinear'] : ['nearest'], 'nearest')
    return {
      forward(_, { x }) {
        if (mode === 'bilinear')
          return g.upsample(asFloat(x), { mode, scale: [size[0]!, size[1]!], layout: layoutOf(2, isLast) })
        return size.reduce((y, times, i) => (times === 1 ? y : g.repeat(y, times, i + (isLast ? 1 : 2))), x)
      },
    }
  }

/** Images of another size; the places are those of the centres of pixels. */
const resizing: Make = (config) => {
  const size = ['height', 'width'].flatMap((name) => config.counts(name, 1, undefined, mostScale)) as [number, number]
  const mode = config.choice('interpolation', ['bilinear'], 'bilinear')
  const layout = layoutOf(2, isChannelsLast(config))
  for (const option of ['crop_to_aspect_ratio', 'pad_to_aspect_ratio', 'antialias'])
    config.refuse(option, (value) => value === false, `${option} as false`)
  return { forward: (_, { x }) => g.upsample(asFloat(x), { mode, size, layout }) }
}

/** A step of which all features have one value is left out, and is 0. */
const masking: Make = (config) => {
  const value = config.number('mask_value', 0)
  return {
    forward(_, { floats: x }) {
      const counts = g.any(x.notEqual(value), -1)
      return masked(x.mul(g.expandDims(counts, -1)), counts)
    },
  }
}

export const shapeLayers = {
  Flatten: flatten,
  Reshape: reshape,
  Permute: permute,
  RepeatVector: repeatVector,
  ZeroPadding1D: zeroPadding(1),
  ZeroPadding2D: zeroPadding(2),
  ZeroPadding3D: zeroPadding(3),
  Cropping1D: cropping(1),
  Cropping2D: cropping(2),
  Cropping3D: cropping(3),
  UpSampling1D: upSampling(1),
  UpSampling2D: upSampling(2),
  UpSampling3D: upSampling(3),
  Resizing: resizing,
  Masking: masking,
} satisfies Record<string, Make>
