/**
 * Discrete Fourier transforms of rows, not scaled, as products of small matrices. Complex rows are pairs [batch, n, 2]
 * where they come and go, and planes [batch, 2, n] between: the real parts, then the imaginary ones.
 *
 * A length is taken apart into factors r of at most some tens. A step of Stockham's algorithm is a product with the
 * matrix of r roots of unity, a rotation of each element and an exchange of axes (C. Van Loan 1992, "Computational
 * frameworks for the fast Fourier transform", section 1.7). Lengths with a greater prime factor become a convolution
 * of a length that is a power of 2 (L. I. Bluestein 1970, "A linear filtering approach to the computation of the
 * discrete Fourier transform"). All are linear, so that gradients of any order are transforms in turn.
 */
import { allocate } from '../base/dtype.ts'
import { mapTuple } from '../base/lists.ts'
import { extentAt, type Shape, sizeOf } from '../base/shape.ts'
import { data } from '../graph/ops/leaf.ts'
import { type Tensor, wrap } from '../tensor/tensor.ts'
import { add, mul } from './arithmetic.ts'
import { where } from './comparison.ts'
import { slice } from './indexing.ts'
import { concat } from './joining.ts'
import { pad } from './padding.ts'
import { matmul } from './products.ts'
import { flip, permute } from './rearrange.ts'
import { reshape } from './shape.ts'

/** −1 in the exponents of a forward transform, 1 in those of an inverse one. */
export type Direction = -1 | 1

type FloatType = 'float32' | 'float64'

/** What a transform is: its length, its direction and the dtype of its constants. */
interface Kind {
  readonly n: number
  readonly direction: Direction
  readonly dtype: FloatType
}

// --- Constants --------------------------------------------------------------------------------------------------------

type Complex = readonly [re: number, im: number]

/** e^(2πi·k/n), exact at multiples of a quarter turn: integers bring the angle to an eighth of one. */
function rootOfUnity(k: number, n: number): Complex {
  const eighths = 8 * (((k % n) + n) % n)
  const quarter = Math.floor((eighths + n) / (2 * n))
  const angle = ((eighths - 2 * quarter * n) * Math.PI) / (4 * n)
  const [c, s] = [Math.cos(angle), Math.sin(angle)]
  const turned = [
    [c, s],
    [-s, c],
    [-c, -s],
    [s, -c],
  ] as const
  return turned[(quarter % 4) as 0 | 1 | 2 | 3]
}

function constant(dtype: FloatType, shape: Shape, element: (place: number) => number): Tensor {
  const array = allocate(dtype, sizeOf(shape))
  for (let i = 0; i < array.length; i++) array[i] = element(i)
  return wrap(data(array, dtype, shape))
}

/** Complex numbers to multiply planes with: re for both planes, and [−im, im] for the planes exchanged. */
interface Factors {
  readonly re: Tensor
  readonly im: Tensor
}

function factorsOf(dtype: FloatType, shape: Shape, factor: (place: number) => Complex): Factors {
  const size = sizeOf(shape)
  const [re, im] = [allocate(dtype, size), allocate(dtype, 2 * size)]
  for (let place = 0; place < size; place++) {
    const [a, b] = factor(place)
    re[place] = a
    im[place] = -b
    im[place + size] = b
  }
  return { re: wrap(data(re, dtype, [1, ...shape])), im: wrap(data(im, dtype, [2, ...shape])) }
}

/** Planes [batch, 2, …] times complex numbers. */
const rotated = (x: Tensor, { re, im }: Factors): Tensor => add(mul(x, re), mul(flip(x, 1), im))

const conjugate = (x: Tensor): Tensor =>
  mul(
    x,
    constant(x.dtype as FloatType, [2, 1], (plane) => (plane === 0 ? 1 : -1)),
  )

/** Of the root w^(j·k) as a matrix of real numbers: what part `from` of element j is in part `to` of element k. */
function weight({ n, direction }: Kind, j: number, from: number, k: number, to: number): number {
  const [re, im] = rootOfUnity(direction * j * k, n)
  return from === to ? re : to === 0 ? -im : im
}

// --- Plans ------------------------------------------------------------------------------------------------------------

/** The constants of a transform are in it. */
type Plan = (x: Tensor) => Tensor

/** What was used last, the latest at the end; as many as pocketfft keeps. */
const plans = new Map<string, Plan>()
const keptPlans = 16

/** The plan for a purpose and a kind, made where it is not kept. */
function planned(purpose: string, kind: Kind, make: (kind: Kind) => Plan): Plan {
  const key = `${purpose} ${kind.n} ${kind.direction} ${kind.dtype}`
  const plan = plans.get(key) ?? make(kind)
  plans.delete(key)
  plans.set(key, plan)
  for (const oldest of plans.keys()) if (plans.size > keptPlans) plans.delete(oldest)
  return plan
}

/** Factors are multiplied up to this: two steps of 32 take no longer than four of 8, and round less often. */
const greatestFactor = 32

/** Primes up to this are matrices of their own; greater ones are convolutions. */
const greatestPrime = 64

/** In descending order. */
function primeFactors(n: number): number[] {
  const factors: number[] = []
  let rest = n
  for (let p = 2; p * p <= rest; p++) for (; rest % p === 0; rest /= p) factors.push(p)
  if (rest > 1) factors.push(rest)
  return factors.reverse()
}

/** As few factors as possible, of about one size. */
function stepFactors(n: number): number[] {
  const primes = primeFactors(n)
  for (let count = 1; ; count++) {
    const factors = new Array<number>(count).fill(1)
    for (const p of primes) {
      const least = factors.indexOf(Math.min(...factors))
      factors[least] = factors[least]! * p
    }
    if (Math.max(...factors) <= Math.max(greatestFactor, primes[0] ?? 1)) return factors
  }
}

/** Of planes. */
const planesPlan = (kind: Kind): Plan =>
  planned('planes', kind, () => {
    const factors = stepFactors(kind.n)
    return Math.max(...factors) > greatestPrime ? convolution(kind) : mixedRadix(kind, factors)
  })

/** n = r₁·r₂·…, a step for each. */
function mixedRadix(kind: Kind, factors: readonly number[]): Plan {
  let done = 1
  const steps = factors.map((r) => {
    const step = radixStep(kind, r, kind.n / (r * done), done)
    done *= r
    return step
  })
  return (x) =>
    reshape(
      steps.reduce((y, step) => step(y), x),
      x.shape,
    )
}

/** The step of the factor r of n = r·m·s, when s are done: of x[r, m, s] it makes y[m, r, s]. */
function radixStep({ direction, dtype }: Kind, r: number, m: number, s: number): Plan {
  const matrix = constant(dtype, [2 * r, 2 * r], (place) => {
    const [row, column] = [Math.floor(place / (2 * r)), place % (2 * r)]
    const [to, from] = [Number(row >= r), Number(column >= r)]
    return weight({ n: r, direction, dtype }, column % r, from, row % r, to)
  })
  const turns = factorsOf(dtype, [r, m, 1], (place) => {
    return rootOfUnity(direction * Math.floor(place / m) * (place % m), r * m)
  })
  return (x) => {
    const batch = extentAt(x.shape, 0)
    const y = matmul(matrix, reshape(x, [batch, 2 * r, m * s]))
    return m === 1 ? y : permute(rotated(reshape(y, [batch, 2, r, m, s]), turns), [0, 1, 3, 2, 4])
  }
}

/** e^(±πi·j²/n). */
const chirp = ({ n, direction }: Kind, j: number): Complex => rootOfUnity(direction * ((j * j) % (2 * n)), 2 * n)

/** With j·k = (j² + k² − (k − j)²)/2: two rotations, and between them a cyclic convolution over at least 2n − 1 elements. */
function convolution(kind: Kind): Plan {
  const { n, dtype } = kind
  const length = 2 ** Math.ceil(Math.log2(2 * n - 1))
  const [forward, inverse] = mapTuple([-1, 1] as const, (direction) => planesPlan({ n: length, direction, dtype }))
  const turns = factorsOf(dtype, [n], (j) => chirp(kind, j))
  const spectrum = chirpSpectrum(kind, length)
  const products = factorsOf(dtype, [length], (k) => spectrum[k]!)
  return (x) => {
    const padded = pad(
      rotated(x, turns),
      [0, 0, length - n].map((after) => [0, after] as const),
    )
    const convolved = inverse(rotated(forward(padded), products))
    return rotated(slice(convolved, [0, 0, 0], [extentAt(x.shape, 0), 2, n]), turns)
  }
}

/** The transform of e^(∓πi·j²/n) for −n < j < n, divided by the length. */
function chirpSpectrum(kind: Kind, length: number): readonly Complex[] {
  const distance = (j: number) => Math.min(j, length - j)
  const kernel = Array.from({ length }, (_, j): Complex => {
    const [re, im] = distance(j) < kind.n ? chirp(kind, distance(j)) : [0, 0]
    return [re / length, -im / length]
  })
  return spectrumOf(
    kernel,
    Array.from({ length }, (_, k) => rootOfUnity(-k, length)),
  )
}

/** The forward transform in float64 of as many numbers as a power of 2, by roots of unity of a multiple of it. */
function spectrumOf(x: readonly Complex[], roots: readonly Complex[]): readonly Complex[] {
  if (x.length === 1) return x
  const everySecond = (first: number) => x.filter((_, j) => j % 2 === first)
  const [even, odd] = [spectrumOf(everySecond(0), roots), spectrumOf(everySecond(1), roots)]
  const [half, stride] = [x.length / 2, roots.length / x.length]
  return x.map((_, k) => {
    const [[a, b], [c, d], [re, im]] = [even[k % half]!, odd[k % half]!, roots[k * stride]!]
    return [a + re * c - im * d, b + re * d + im * c]
  })
}

// --- Transforms of rows -----------------------------------------------------------------------------------------------

/** Of pairs the planes, and of planes the pairs. */
const exchanged = (x: Tensor): Tensor => permute(x, [0, 2, 1])

/** Whether a length is transformed by one product. */
const isSmall = (n: number): boolean => n <= greatestFactor || (n <= greatestPrime && stepFactors(n).length === 1)

/** Rows, each of `height` numbers, times a matrix. */
function product(
  dtype: FloatType,
  height: number,
  width: number,
  element: (row: number, column: number) => number,
): Plan {
  const matrix = constant(dtype, [height, width], (place) => element(Math.floor(place / width), place % width))
  return (x) => matmul(reshape(x, [extentAt(x.shape, 0), height]), matrix)
}

/** Complex rows [batch, n, 2] from complex ones. */
export function transformComplex(x: Tensor, direction: Direction): Tensor {
  const kind = { n: extentAt(x.shape, 1), direction, dtype: x.dtype as FloatType }
  if (!isSmall(kind.n)) return exchanged(planesPlan(kind)(exchanged(x)))
  const plan = planned('complex', kind, ({ n, dtype }) =>
    product(dtype, 2 * n, 2 * n, (row, column) => weight(kind, row >> 1, row & 1, column >> 1, column & 1)),
  )
  return reshape(plan(x), x.shape)
}

/** The first ⌊n/2⌋ + 1 complex numbers [batch, …, 2] of the forward transforms of real rows [batch, n]. */
export function transformReal(x: Tensor): Tensor {
  const [batch, n] = x.shape as readonly [number, number]
  const kind: Kind = { n, direction: -1, dtype: x.dtype as FloatType }
  const bins = Math.floor(n / 2) + 1
  if (isSmall(n)) {
    const plan = planned('real', kind, ({ dtype }) =>
      product(dtype, n, 2 * bins, (row, column) => weight(kind, row, 0, column >> 1, column & 1)),
    )
    return reshape(plan(x), [batch, bins, 2])
  }
  if (n % 2 === 0) return exchanged(planned('real', kind, realOfEvenLength)(x))
  const planes = pad(reshape(x, [batch, 1, n]), [[0, 0], [0, 1], [0, 0]]) // biome-ignore format: one pair for each axis
  return exchanged(slice(planesPlan(kind)(planes), [0, 0, 0], [batch, 2, bins]))
}

/**
 * With the elements of even and of odd index as the real and imaginary parts of z[n/2]: Zₖ = Eₖ + i·Oₖ of their
 * transforms, so that Eₖ + wᵏ·Oₖ = (Zₖ·(1 − i·wᵏ) + Z̄₋ₖ·(1 + i·wᵏ))/2.
 */
function realOfEvenLength(kind: Kind): Plan {
  const half = kind.n / 2
  const [own, other] = mapTuple([1, -1] as const, (sign) =>
    factorsOf(kind.dtype, [half + 1], (k) => {
      const [re, im] = rootOfUnity(-k, kind.n)
      return [(1 + sign * im) / 2, (-sign * re) / 2]
    }),
  )
  return (x) => {
    const batch = extentAt(x.shape, 0)
    const z = planesPlan({ ...kind, n: half })(exchanged(reshape(x, [batch, half, 2])))
    const around = concat([z, slice(z, [0, 0, 0], [batch, 2, 1])], 2)
    return add(rotated(around, own), rotated(conjugate(flip(around, 2)), other))
  }
}

/** Real rows [batch, n] from the first ⌊n/2⌋ + 1 complex numbers [batch, …, 2] of their spectra, by the inverse transform. */
export function transformHalf(x: Tensor, n: number): Tensor {
  const [batch, bins] = x.shape as readonly [number, number]
  const kind: Kind = { n, direction: 1, dtype: x.dtype as FloatType }
  if (isSmall(n)) {
    const count = (k: number) => (k === 0 || 2 * k === n ? 1 : 2)
    const plan = planned('half', kind, ({ dtype }) =>
      product(dtype, 2 * bins, n, (row, column) => count(row >> 1) * weight(kind, row >> 1, row & 1, column, 0)),
    )
    return plan(x)
  }
  const planes = exchanged(x)
  if (n % 2 === 0) return planned('half', kind, halfOfEvenLength)(planes)
  const others = conjugate(flip(slice(planes, [0, 0, 1], [batch, 2, bins]), 2))
  const whole = planesPlan(kind)(concat([planes, others], 2))
  return reshape(slice(whole, [0, 0, 0], [batch, 1, n]), [batch, n])
}

/** `realOfEvenLength` backwards: Zₖ = Xₖ·(1 + i·w⁻ᵏ) + X̄₋ₖ·(1 − i·w⁻ᵏ), where the ends of X count as real. */
function halfOfEvenLength(kind: Kind): Plan {
  const half = kind.n / 2
  const [own, other] = mapTuple([1, -1] as const, (sign) =>
    factorsOf(kind.dtype, [half], (k) => {
      const [re, im] = rootOfUnity(k, kind.n)
      return [1 - sign * im, sign * re]
    }),
  )
  const bins = half + 1
  const hasPart = (place: number) => place < bins || (place > bins && place < bins + half)
  const parts = Uint8Array.from({ length: 2 * bins }, (_, place) => Number(hasPart(place)))
  const isRead = wrap(data(parts, 'bool', [2, bins]))
  return (x) => {
    const batch = extentAt(x.shape, 0)
    const read = where(isRead, x, 0)
    const first = slice(read, [0, 0, 0], [batch, 2, half])
    const last = slice(flip(read, 2), [0, 0, 0], [batch, 2, half])
    const z = planesPlan({ ...kind, n: half })(add(rotated(first, own), rotated(conjugate(last), other)))
    return reshape(exchanged(z), [batch, kind.n])
  }
}
