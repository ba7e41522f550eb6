/** Rows of Fourier transforms: one product, two steps and more, convolutions, and everything that options do. */
import type { Shape } from '../../../lib/base/shape.ts'
import * as fft from '../../../lib/operations/fft.ts'
import type { Tensor } from '../../../lib/tensor/tensor.ts'
import { exactly, type OpCase, operand, shapesOf } from '../../support/cases.ts'

type Transform = (x: Tensor) => Tensor

/** Each number of a result is a sum over all of the operand, several times over. */
const row = (shape: Shape, f: Transform, part: Partial<OpCase> = {}): OpCase => ({
  inputs: [operand(shape)],
  f,
  contract: { depth: 4, magnitude: (x) => f(x).mul(0).add(x.abs().sum()) },
  differentiable: true,
  ...part,
})

const rows = (f: Transform, smooth: string, others: string, note?: string): OpCase[] => [
  ...shapesOf(smooth).map((shape) => row(shape, f, note === undefined ? {} : { note })),
  ...shapesOf(others).map((shape) => row(shape, f, { differentiable: false })),
]

const complexShapes = '1,2 2,6,2 35,2 2,48,2 67,2'
const otherComplexShapes = '0,3,2 3,200,2 2,997,2 3,4096,2'

const complexRows = (f: typeof fft.fft): OpCase[] => [
  ...rows((x) => f(x), complexShapes, otherComplexShapes),
  row([3, 4, 2], (x) => f(x, { axis: 0, n: 5, norm: 'ortho' }), { note: 'longer, of the first axis' }),
  row([3, 7, 2], (x) => f(x, { n: 4, norm: 'forward' }), { note: 'shorter' }),
  row([2, 40, 3, 2], (x) => f(x, { axis: -2 }), { note: 'of a middle axis' }),
]

const realRows = (f: typeof fft.rfft): OpCase[] => [
  ...rows((x) => f(x), '1 2,6 33 35 2,48 134', '0,3 3,200 2,997 5,4096 3,331'),
  row([3, 4], (x) => f(x, { axis: 0, n: 6, norm: 'ortho' }), { note: 'longer, of the first axis' }),
  row([2, 7], (x) => f(x, { n: 5, norm: 'forward' }), { note: 'shorter' }),
]

const halfRows = (f: typeof fft.irfft): OpCase[] => [
  ...rows((x) => f(x), '2,4,2 2,25,2 68,2', '3,101,2 2,2049,2'),
  ...rows((x) => f(x, { n: 2 * x.shape.at(-2)! - 1 }), '1,2 2,4,2 18,2 34,2', '2,499,2', 'of an odd length'),
  row([3, 4, 2], (x) => f(x, { axis: 0, n: 6, norm: 'ortho' }), { note: 'longer, of the first axis' }),
]

type Several = (x: Tensor, options?: fft.MultiFourierOptions) => Tensor

const severalRows = (f: Several, shape: Shape): OpCase[] => [
  row(shape, (x) => f(x)),
  row(shape, (x) => f(x, { axes: [1, 0], sizes: [4, 3], norm: 'ortho' }), { note: 'of chosen axes and sizes' }),
]

const shiftRows = (f: typeof fft.fftShift): OpCase[] =>
  [
    row([5], (x) => f(x)),
    row([4, 3], (x) => f(x, 0)),
    row([3, 4, 2], (x) => f(x, undefined, { complex: true }), { note: 'of pairs' }),
  ].map((shift) => ({ ...shift, contract: exactly }))

export const fftCases = {
  fft: complexRows(fft.fft),
  ifft: complexRows(fft.ifft),
  rfft: realRows(fft.rfft),
  irfft: halfRows(fft.irfft),
  fft2: severalRows(fft.fft2, [2, 3, 4, 2]),
  ifft2: severalRows(fft.ifft2, [2, 3, 4, 2]),
  rfft2: severalRows(fft.rfft2, [3, 4]),
  irfft2: severalRows(fft.irfft2, [3, 4, 2]),
  fftn: severalRows(fft.fftn, [2, 3, 4, 2]),
  ifftn: severalRows(fft.ifftn, [2, 3, 4, 2]),
  rfftn: severalRows(fft.rfftn, [2, 3, 5]),
  irfftn: severalRows(fft.irfftn, [2, 3, 4, 2]),
  fftFreq: [{ inputs: [], f: () => [fft.fftFreq(5), fft.fftFreq(4, { spacing: 0.1 })], contract: exactly }],
  rfftFreq: [{ inputs: [], f: () => [fft.rfftFreq(5), fft.rfftFreq(4, { spacing: 0.1 })], contract: exactly }],
  fftShift: shiftRows(fft.fftShift),
  ifftShift: shiftRows(fft.ifftShift),
} satisfies Record<keyof typeof fft, readonly OpCase[]>
