/** Where numbers stand on an axis, and which of them are written beside it. */
import type { Axis } from './chart.ts'

export interface Scale {
  readonly low: number
  readonly high: number
  readonly isLog: boolean
  /** From 0 to 1, where a number within it stands. */
  place(value: number): number
  readonly ticks: readonly number[]
}

/** A scale of all of these numbers, NaN aside, with about so many ticks. */
export function scaleOf(values: Iterable<number>, { isLog, isWhole = false }: Axis, ticks: number): Scale {
  let [low, high] = [Infinity, -Infinity]
  for (const value of values) {
    if (value < low) low = value
    if (value > high) high = value
  }
  // Halves, as the difference of two may be beyond all numbers.
  const half = (value: number) => (isLog ? Math.log10(value) : value) / 2
  if (!(half(high) - half(low) > 0)) [low, high] = widened(low, isLog)
  const width = half(high) - half(low)
  return {
    low,
    high,
    isLog,
    place: (value) => (half(value) - half(low)) / width,
    ticks: isLog ? logTicks(low, high, ticks) : linearTicks(low, high, ticks, isWhole),
  }
}

function widened(value: number, isLog: boolean): [number, number] {
  const [low, high] = isLog
    ? [value / 2, value * 2]
    : [value - (Math.abs(value) / 2 || 0.5), value + (Math.abs(value) / 2 || 0.5)]
  return [Math.max(low, -Number.MAX_VALUE), Math.min(high, Number.MAX_VALUE)]
}

/** Multiples of 1, 2 or 5 times a power of ten (P. Heckbert 1990), which lie between the two. */
export function linearTicks(low: number, high: number, count: number, isWhole = false): number[] {
  const step = Math.max(stepOf(high / count - low / count), isWhole ? 1 : 0)
  // Not without what is off by a rounding.
  const [first, last] = [Math.ceil(low / step - 1e-9), Math.floor(high / step + 1e-9)]
  const ticks = Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => multiple(first + i, step))
  return ticks.length > 0 ? ticks : [low]
}

/** 10^k, 2·10^k or 5·10^k: the nearest, by their ratio. */
function stepOf(wanted: number): number {
  const power = 10 ** Math.floor(Math.log10(wanted))
  const factor = [1, 2, 5].find((each) => wanted / power < each * Math.sqrt(each === 2 ? 2.5 : 2)) ?? 10
  return factor * power
}

/** 3·0.1 as 0.3: by the power of ten where that is a whole number. */
const multiple = (count: number, step: number): number =>
  step < 1 && step > 1e-300 ? count / Math.round(1 / step) : count * step

/** Powers of ten, each n-th of them where there are many; of less than two, what is between. */
function logTicks(low: number, high: number, count: number): number[] {
  const [first, last] = [Math.ceil(Math.log10(low) - 1e-9), Math.floor(Math.log10(high) + 1e-9)]
  const every = Math.ceil((last - first + 1) / count)
  const powers = Array.from(
    { length: Math.max(0, Math.floor((last - first) / every) + 1) },
    (_, i) => first + i * every,
  )
  return powers.length > 1 ? powers.map((power) => Number(`1e${power}`)) : linearTicks(low, high, count)
}

/** The ticks as text: with as many digits as tell them apart, and small and large ones by powers of ten. */
export function tickTexts({ ticks, isLog }: Pick<Scale, 'ticks' | 'isLog'>): string[] {
  const greatest = Math.max(...ticks.map(Math.abs))
  if (isLog || greatest >= 1e6 || greatest < 1e-3) return distinctTexts(ticks)
  const digits = Math.max(...ticks.map((tick) => String(Number(tick.toPrecision(12))).split('.')[1]?.length ?? 0))
  return ticks.map((tick) => tick.toFixed(digits))
}

function distinctTexts(ticks: readonly number[]): string[] {
  for (let digits = 1; ; digits++) {
    const texts = ticks.map((tick) => shortText(tick, digits))
    if (digits === 17 || new Set(texts).size === texts.length) return texts
  }
}

/** `2e6`, `0.001`, `15`. */
export function shortText(value: number, digits = 4): string {
  const size = Math.abs(value)
  const number = Number(value.toPrecision(digits))
  return size !== 0 && (size >= 1e6 || size < 1e-3) ? number.toExponential().replace('e+', 'e') : String(number)
}
