/** Fourier transforms: accuracy for every kind of length, identities, options, and errors. */
import { beforeAll, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { backendNames } from '../support/backends.ts'
import { uniforms } from '../support/tape.ts'

type Pair = readonly [re: number, im: number]

/** The definition for any length, in float64: Σ x·e^(sign·2πi·jk/n), over each prime factor in turn. */
function transformed(x: readonly Pair[], sign: number): readonly Pair[] {
  const n = x.length
  if (n === 1) return x
  let p = 2
  while (n % p !== 0) p++
  const parts = Array.from({ length: p }, (_, first) =>
    transformed(
      x.filter((_, j) => j % p === first),
      sign,
    ),
  )
  return x.map((_, k) => {
    let [re, im] = [0, 0]
    for (const [a, part] of parts.entries()) {
      const angle = (sign * 2 * Math.PI * ((a * k) % n)) / n
      const [u, v] = part[k % (n / p)]!
      re += u * Math.cos(angle) - v * Math.sin(angle)
      im += u * Math.sin(angle) + v * Math.cos(angle)
    }
    return [re, im]
  })
}

/** The greatest error for the root of the mean square, in ε·log₂ n. */
function errorOf(actual: g.Tensor, wanted: readonly number[]): number {
  const data = actual.dataSync()
  expect(data.length).toBe(wanted.length)
  const size = Math.hypot(...wanted) / Math.sqrt(wanted.length)
  const worst = wanted.reduce((most, x, i) => Math.max(most, Math.abs(data[i]! - x)), 0)
  return worst / size / ((actual.dtype === 'float64' ? 2 ** -52 : 2 ** -23) * Math.max(1, Math.log2(wanted.length)))
}

const lengths = [...Array.from({ length: 130 }, (_, i) => i + 1), 255, 256, 331, 500, 997, 1021, 1024, 2187, 4096]

describe.each([
  ...backendNames.map((backend) => [backend, 'float32', lengths.concat(16384)] as const),
  ['reference', 'float64', lengths.filter((n) => n <= 1024)] as const,
])('Fourier transforms on the %s backend in %s', (backend, dtype, lengths) => {
  beforeAll(() => g.setBackend(backend))

  test('are within 4·ε·log₂ n of the definition', () => {
    const next = uniforms(3)
    const round = dtype === 'float32' ? Math.fround : (x: number) => x
    for (const n of lengths.filter((n) => backend === 'native' || n < 2000)) {
      const x = Array.from({ length: n }, (): Pair => [round(next() - 0.5), round(next() - 0.5)])
      const pairs = g.tensor(x.flat(), { shape: [n, 2], dtype })
      const reals = g.tensor(
        x.map(([re]) => re),
        { dtype },
      )
      const bins = Math.floor(n / 2) + 1
      const spectrum = transformed(
        x.map(([re]): Pair => [re, 0]),
        -1,
      )
      const half = g.tensor(spectrum.slice(0, bins).flat(), { shape: [bins, 2], dtype })
      const inverse = transformed(x, 1).flat()
      const found = {
        fft: errorOf(g.fft.fft(pairs), transformed(x, -1).flat()),
        ifft: errorOf(g.fft.ifft(pairs, { norm: 'forward' }), inverse),
        rfft: errorOf(g.fft.rfft(reals), spectrum.slice(0, bins).flat()),
        irfft: errorOf(
          g.fft.irfft(half, { n }),
          x.map(([re]) => re),
        ),
      }
      for (const [name, error] of Object.entries(found)) expect(error, `${name} of ${n}`).toBeLessThan(4)
    }
  })
})

const { fft } = g

describe.each(backendNames)('Fourier transforms on the %s backend', (backend) => {
  beforeAll(() => g.setBackend(backend))

  test('exact roots give exact numbers', () => {
    expect(fft.fft([[1, 0], [0, 0], [0, 0], [0, 0]]).arraySync()).toEqual([[1, 0], [1, 0], [1, 0], [1, 0]]) // biome-ignore format: numbers
    expect(fft.rfft([1, 2, 3, 4]).add(0).arraySync()).toEqual([[10, 0], [-2, 2], [-2, 0]]) // biome-ignore format: numbers
    expect(fft.irfft([[10, 0], [-2, 2], [-2, 0]]).arraySync()).toEqual([1, 2, 3, 4]) // biome-ignore format: numbers
  })

  test('what has no imaginary part in a spectrum of real numbers does not count', () => {
    for (const n of [8, 100]) {
      const spectrum = fft.rfft(g.randn([n], { seed: 1 }))
      const ends = g.zeros([n / 2 + 1, 2]).add(g.oneHot([0, n / 2], n / 2 + 1).sum(0).reshape([-1, 1]).mul([0, 1])) // biome-ignore format: one expression
      expect(
        fft
          .irfft(spectrum.add(ends.mul(7)))
          .sub(fft.irfft(spectrum))
          .abs()
          .max()
          .itemSync(),
      ).toBeLessThan(1e-6)
    }
  })

  test('a product of spectra is a cyclic convolution', () => {
    const [x, y] = [g.randn([200], { seed: 1 }), g.randn([200], { seed: 2 })]
    const [a, b] = [fft.rfft(x), fft.rfft(y)].map((z) => g.unstack(z, -1)) as [g.Tensor[], g.Tensor[]]
    const product = g.stack([a[0]!.mul(b[0]!).sub(a[1]!.mul(b[1]!)), a[0]!.mul(b[1]!).add(a[1]!.mul(b[0]!))], -1)
    const wanted = Array.from({ length: 200 }, (_, k) => x.flip().roll(k + 1).mul(y).sum().itemSync()) // biome-ignore format: one expression
    expect(fft.irfft(product).sub(wanted).abs().max().itemSync()).toBeLessThan(1e-4)
  })

  test('compiled functions keep their constants, however many lengths came since', () => {
    const transform = g.compile((x: g.Tensor) => fft.ifft(fft.fft(x)))
    const x = g.randn([100, 2], { seed: 4 })
    const far = () => transform.sync(x).sub(x).abs().max().itemSync()
    expect(far()).toBeLessThan(1e-5)
    for (let n = 33; n < 60; n++) fft.fft(g.zeros([n, 2])).dataSync()
    expect(far()).toBeLessThan(1e-5)
  })

  test('the gradient of the energy of a spectrum is n times that of the numbers', () => {
    for (const n of [12, 67, 90]) {
      const x = g.randn([n, 2], { seed: 5 })
      const slope = g.grad((z: g.Tensor) => fft.fft(z).square().sum())(x)
      expect(slope.sub(x.mul(2 * n)).abs().max().itemSync()).toBeLessThan(1e-3) // biome-ignore format: one expression
    }
  })

  test('frequencies, and what stands in the middle', () => {
    expect(fft.fftFreq(5, { spacing: 0.2 }).arraySync()).toEqual([0, 1, 2, -2, -1])
    expect(fft.rfftFreq(4).arraySync()).toEqual([0, 0.25, 0.5])
    expect(fft.fftFreq(1, { dtype: 'float64' }).dtype).toBe('float64')
    expect(fft.fftShift([0, 1, 2, -2, -1]).arraySync()).toEqual([-2, -1, 0, 1, 2])
    expect(fft.ifftShift([-2, -1, 0, 1, 2]).arraySync()).toEqual([0, 1, 2, -2, -1])
    const pairs = g.tensor([[0, 1], [2, 3], [4, 5]]) // biome-ignore format: pairs
    expect(fft.fftShift(pairs, undefined, { complex: true }).arraySync()).toEqual([[4, 5], [0, 1], [2, 3]]) // biome-ignore format: pairs
    expect(fft.fftShift(pairs, 0).arraySync()).toEqual([[4, 5], [0, 1], [2, 3]]) // biome-ignore format: pairs
  })

  test('shapes, and integers as floats', () => {
    const images = g.ones([2, 5, 6], { dtype: 'int32' })
    expect(fft.rfft2(images).shape).toEqual([2, 5, 4, 2])
    expect(fft.rfft2(images).dtype).toBe('float32')
    expect(fft.irfft2(fft.rfft2(images), { sizes: [5, 6] }).shape).toEqual([2, 5, 6])
    expect(fft.fft(g.zeros([0, 4, 2])).shape).toEqual([0, 4, 2])
    expect(fft.rfft(g.zeros([0, 300])).shape).toEqual([0, 151, 2])
  })
})

describe('errors of Fourier transforms', () => {
  const unchecked = fft as unknown as Record<string, (...args: unknown[]) => unknown>

  test.each<[() => unknown, ErrorConstructor, string]>([
    [() => fft.fft([1, 2, 3]), RangeError, 'fft: expected pairs [re, im] on the last axis, got [3]'],
    [() => fft.fft([1, 2]), RangeError, 'fft: expected at least one axis, got [2]'],
    [() => fft.rfft(3), RangeError, 'rfft: expected at least one axis, got []'],
    [() => fft.rfft([]), RangeError, 'rfft: expected a length of at least 1, got 0'],
    [() => fft.irfft([[1, 0]]), RangeError, 'irfft: expected a length of at least 1, got 0'],
    [() => fft.rfft([1, 2], { n: 1.5 }), RangeError, 'rfft: expected a length of at least 1, got 1.5'],
    [() => fft.rfft([1, 2], { axis: 1 }), RangeError, 'rfft'],
    [() => fft.fft2(g.ones([3, 2])), RangeError, 'fft2'],
    [() => fft.fftn(g.ones([3, 3, 2]), { axes: [0, -2] }), RangeError, 'fftn'],
    [
      () => fft.fftn(g.ones([3, 3, 2]), { axes: [0, 1], sizes: [3] }),
      RangeError,
      'fftn: expected as many sizes as axes, got 1 and 2',
    ],
    [
      () => unchecked.rfft!([1], { norm: 'none' }),
      RangeError,
      "rfft: expected norm 'backward', 'ortho' or 'forward', got none",
    ],
    [() => unchecked.rfft!([1], { dim: 0 }), TypeError, 'rfft: unknown option dim; did you mean axis?'],
    [() => unchecked.rfft!([1], 4), TypeError, 'rfft: expected options ({ n, axis, norm }), got 4'],
    [() => unchecked.fftn!([[1, 2]], { sizes: 4 }), TypeError, 'fftn: expected sizes to be a list, got 4'],
    [() => fft.fftFreq(0), RangeError, 'fftFreq: expected a length of at least 1, got 0'],
    [() => fft.fftFreq(3, { spacing: 0 }), RangeError, 'fftFreq: expected a finite spacing other than 0, got 0'],
    [() => fft.fftFreq(3, { dtype: 'int32' }), TypeError, 'fftFreq: expected float32 or float64, got int32'],
    [() => unchecked.fftn!([[1, 2]], { axes: 0 }), TypeError, 'fftn: expected axes to be a list, got 0'],
    [() => fft.fftShift([[1, 2]]), TypeError, 'fftShift: expected complex to say'],
  ])('%s', (f, type, message) => {
    expect(f).toThrow(type)
    expect(f).toThrow(message)
  })
})
