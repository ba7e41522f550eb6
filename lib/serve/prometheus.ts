/**
 * Prometheus' text format 0.0.4: every metric once, with a line for each of those that it is of.
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 */
import type { Histogram } from './histogram.ts'

/** What is said of each of those that a text is about: `{ model: 'digits' }`. */
export interface Labelled {
  readonly labels: Readonly<Record<string, string>>
}

export const textOf = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('')

export const snake = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

const escaped = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')

function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join()}}`
}

const numberText = (value: number): string =>
  Math.abs(value) === Infinity ? `${value < 0 ? '-' : '+'}Inf` : `${value}`

const header = (name: string, text: string, type: string) => [
  `# HELP galvani_${name} ${text}`,
  `# TYPE galvani_${name} ${type}`,
]

/** Those of which the value is null have no line. */
export function metric<T extends Labelled>(
  name: string,
  text: string,
  type: 'counter' | 'gauge',
  all: readonly T[],
  valueIn: (x: T) => number | null,
): string[] {
  const lines = all.flatMap((x) => {
    const value = valueIn(x)
    return value === null ? [] : [`galvani_${name}${labelText(x.labels)} ${numberText(value)}`]
  })
  return [...header(name, text, type), ...lines]
}

/** The numbers are divided by `unit`, as Prometheus counts in seconds. */
export function histogram<T extends Labelled>(
  name: string,
  text: string,
  bounds: readonly number[],
  unit: number,
  all: readonly T[],
  histogramOf: (x: T) => Histogram,
): string[] {
  const lines = all.flatMap((x) => {
    const { labels } = x
    const found = histogramOf(x)
    const counts = found.atMost(bounds.map((bound) => bound * unit))
    return [
      ...bounds.map((bound, i) => `galvani_${name}_bucket${labelText({ ...labels, le: String(bound) })} ${counts[i]}`),
      `galvani_${name}_bucket${labelText({ ...labels, le: '+Inf' })} ${found.count}`,
      `galvani_${name}_sum${labelText(labels)} ${found.sum / unit}`,
      `galvani_${name}_count${labelText(labels)} ${found.count}`,
    ]
  })
  return [...header(name, text, 'histogram'), ...lines]
}
