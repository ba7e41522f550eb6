/** The values of a tensor as text, laid out as numpy does: rows in brackets, columns aligned, the middle of much left out. */
import type { DType, TypedArray } from '../base/dtype.ts'
import { isFloat } from '../base/dtype.ts'
import { denseStrides, extentAt, type Shape } from '../base/shape.ts'

/** Tensors of more elements are shown by the first and last ones of each axis. */
const mostElements = 1000
const edge = 3
const lineWidth = 80
const decimals = 4

/** Places of elements, nested as the shape is; null stands for those that are left out. */
type Places = number | null | readonly Places[]

function placesOf(shape: Shape, strides: readonly number[], axis: number, offset: number, all: boolean): Places {
  if (axis === shape.length) return offset
  const extent = extentAt(shape, axis)
  const child = (i: number) => placesOf(shape, strides, axis + 1, offset + i * extentAt(strides, axis), all)
  const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => child(from + i))
  if (all || extent <= 2 * edge) return range(0, extent)
  return [...range(0, edge), null, ...range(extent - edge, extent)]
}

function leaves(places: Places): number[] {
  if (places === null) return []
  return typeof places === 'number' ? [places] : places.flatMap(leaves)
}

/** How the numbers of one tensor are written: all in the same way. */
function writerOf(numbers: readonly number[], dtype: DType): (x: number) => string {
  if (dtype === 'bool') return (x) => String(x !== 0)
  const finite = numbers.filter(Number.isFinite).map(Math.abs)
  const greatest = Math.max(0, ...finite)
  if (!isFloat(dtype) || (finite.every(Number.isInteger) && greatest < 1e8)) return signed((x) => String(x))
  const least = Math.min(Infinity, ...finite.filter((x) => x > 0))
  if (greatest >= 1e8 || least < 1e-4 || greatest / least > 1000) return signed((x) => x.toExponential(decimals))
  const digits = Math.max(
    0,
    ...finite.map(
      (x) =>
        x
          .toFixed(decimals)
          .replace(/\.?0+$/, '')
          .split('.')[1]?.length ?? 0,
    ),
  )
  return signed((x) => x.toFixed(digits))
}

/** As −0 is a value of its own. */
const signed =
  (write: (x: number) => string): ((x: number) => string) =>
  (x) =>
    Object.is(x, -0) ? `-${write(0)}` : Number.isFinite(x) ? write(x) : String(x)

/** Items in lines of bounded width; the ones after the first begin below its first item. */
function row(items: readonly string[], indent: number): string {
  const lines: string[] = []
  for (const item of items) {
    const last = lines.at(-1)
    if (last === undefined || indent + last.length + 1 + item.length > lineWidth) lines.push(item)
    else lines[lines.length - 1] = `${last} ${item}`
  }
  return `[${lines.join(`\n${' '.repeat(indent)}`)}]`
}

function layout(places: Places, text: (place: number | null) => string, depth: number, axis: number): string {
  if (typeof places === 'number' || places === null) return text(places)
  const items = places.map((part) => (part === null ? '...' : layout(part, text, depth, axis + 1)))
  if (axis === depth - 1) return row(items, axis + 1)
  const gap = `${'\n'.repeat(depth - 1 - axis)}${' '.repeat(axis + 1)}`
  return `[${items.join(gap)}]`
}

/**
 * The elements in nested brackets: with at most four decimals, and for more than 1000 elements three at each end of an axis.
 *
 * @example
 * formatValues(Float32Array.of(1, 2.5, 3, 4), 'float32', [2, 2])
 * // [[1.0 2.5]
 * //  [3.0 4.0]]
 */
export function formatValues(data: TypedArray, dtype: DType, shape: Shape): string {
  const places = placesOf(shape, denseStrides(shape), 0, 0, data.length <= mostElements)
  const shown = leaves(places)
  const write = writerOf(
    shown.map((place) => data[place] ?? 0),
    dtype,
  )
  const texts = new Map(shown.map((place) => [place, write(data[place] ?? 0)]))
  const width = Math.max(0, ...[...texts.values()].map((text) => text.length))
  const text = (place: number | null) => (place === null ? '...' : (texts.get(place) ?? '').padStart(width))
  return layout(places, text, shape.length, 0)
}
