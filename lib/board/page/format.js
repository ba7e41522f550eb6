// Numbers, times and sizes as text, as short as they can be read.

const minus = '−'

/**
 * Four digits that count, or fewer where the rest is zeros.
 * @param {number | null | undefined} value
 */
export function short(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return '–'
  if (!Number.isFinite(value)) return value > 0 ? '∞' : `${minus}∞`
  const size = Math.abs(value)
  if (size !== 0 && (size >= 1e7 || size < 1e-4))
    return value
      .toExponential(2)
      .replace(/\.?0+e/, 'e')
      .replace('e+', 'e')
      .replaceAll('-', minus)
  const digits = Number.isInteger(value) || size >= 1e4 ? 0 : Math.max(0, 3 - Math.floor(Math.log10(size)))
  return grouped(
    value
      .toFixed(Math.min(digits, 7))
      .replace(/(\.\d*?)0+$/, '$1')
      .replace(/\.$/, ''),
  )
}

/**
 * Thin spaces between thousands, from five digits on.
 * @param {string} text
 */
function grouped(text) {
  const [whole, part] = text.replace('-', minus).split('.')
  const spaced = whole.replace(minus, '').length > 4 ? whole.replace(/\B(?=(\d{3})+$)/g, '\u2009') : whole
  return part === undefined ? spaced : `${spaced}.${part}`
}

/**
 * A value of any type, as text.
 * @param {unknown} value
 */
export const shown = (value) => (typeof value === 'number' ? short(value) : value === undefined ? '–' : String(value))

/**
 * @param {number} value
 * @param {string} unit
 * @param {number} [thousand]
 */
export function withUnit(value, unit, thousand = 1000) {
  const prefixes = ['', 'k', 'M', 'G', 'T', 'P']
  let i = 0
  for (; Math.abs(value) >= thousand && i < prefixes.length - 1; i++) value /= thousand
  return `${Number(value.toPrecision(4))}\u202f${prefixes[i]}${unit}`
}

/** @param {number} value */
export const bytes = (value) => withUnit(value, 'B')

/**
 * @param {number} milliseconds
 */
export function duration(milliseconds) {
  if (!Number.isFinite(milliseconds)) return '–'
  const seconds = Math.max(0, milliseconds) / 1000
  if (seconds < 60) return `${seconds < 10 ? Number(seconds.toFixed(1)) : Math.round(seconds)} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.round(hours / 24)} days`
}

const clock = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' })

/** @param {number | undefined} time in milliseconds since 1970 */
export const moment = (time) => (time === undefined || !isDate(time) ? '–' : clock.format(time))

/** What a Date can hold: other numbers would be an error.
 * @param {number} time
 */
const isDate = (time) => Math.abs(time) <= 8.64e15

/** @param {number} part of one */
export const percent = (part) =>
  part > 0 && part < 0.0005
    ? '<\u202f0.1\u202f%'
    : Number.isFinite(part)
      ? `${(100 * part).toFixed(part < 0.0995 ? 1 : 0)}\u202f%`
      : '–'

/** @param {readonly number[]} shape */
export const shapeText = (shape) => `[${shape.join(', ')}]`
