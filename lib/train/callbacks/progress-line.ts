/** What a progress bar says in one line: as much of it as the width allows. */
import { columnsOf } from '../../base/columns.ts'
import { cutTo, oneLine, type Paint, type Style, widthOf } from '../../base/terminal.ts'

/** A part of a line. Those of the highest rank are left out first where it is too narrow. */
export interface Part {
  readonly text: string
  readonly rank: number
  readonly style?: Style
}

/** The parts that fit, in their order; the first one is cut where not even it does. */
export function lineOf(parts: readonly Part[], width: number, paint: Paint): string {
  let kept = parts.filter(({ text }) => text !== '')
  const columns = () => kept.reduce((sum, { text }) => sum + widthOf(text) + 1, -1)
  while (kept.length > 1 && columns() > width) {
    const last = kept.reduce((most, part) => (part.rank > most.rank ? part : most))
    kept = kept.filter((part) => part !== last)
  }
  const painted = ({ text, style }: Part) => (style === undefined ? text : paint(text, style))
  return kept.length === 1 ? painted({ ...kept[0]!, text: cutTo(kept[0]!.text, width) }) : kept.map(painted).join(' ')
}

const leftOut = ['epoch', 'step', 'steps', 'samples', 'seconds']

/** `loss 0.1230`, `accuracy 0.9800`, `validation.loss 0.2000`: four digits, so that the line is at rest while they change. */
export const scoresIn = (info: object): string[] =>
  Object.entries(columnsOf(info as Record<string, unknown>))
    .filter(([name, value]) => typeof value === 'number' && !leftOut.includes(name))
    .map(([name, value]) => `${oneLine(name)} ${(value as number).toPrecision(4)}`)

/** `12.3K samples/s`. */
export function rateText(samplesPerSecond: number | undefined): string {
  if (samplesPerSecond === undefined) return ''
  const digits = { minimumSignificantDigits: 3, maximumSignificantDigits: 3 }
  return `${samplesPerSecond.toLocaleString('en', { notation: 'compact', ...digits })} samples/s`
}

/** `0:12`, `1:02:03`. */
export function durationText(seconds: number): string {
  const whole = Math.ceil(seconds)
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)]
  const [long, short] = [String(minutes).padStart(2, '0'), String(whole % 60).padStart(2, '0')]
  return hours > 0 ? `${hours}:${long}:${short}` : `${minutes}:${short}`
}
