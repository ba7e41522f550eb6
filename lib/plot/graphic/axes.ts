/** The axes of an SVG, with the ticks that the text has. */
import type { ScaleOptions } from '@observablehq/plot'
import type { Axis } from '../chart.ts'
import { type Scale, tickTexts } from '../scale.ts'

export function axisOptionsOf(scale: Scale, { label }: Axis): ScaleOptions {
  const { low, high, isLog, ticks } = scale
  const texts = tickTexts(scale)
  return {
    type: isLog ? 'log' : 'linear',
    domain: [low, high],
    label: label === '' ? null : label,
    ticks,
    tickFormat: (_: unknown, i: number) => texts[i]!,
  }
}

/** Room for the longest number. */
export const marginOf = (scale: Scale): number =>
  Math.max(40, 7 * Math.max(...tickTexts(scale).map((text) => text.length)) + 18)
