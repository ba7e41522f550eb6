/** Text for terminals: how wide it is, what must not get into it, and when it may have colours. */

/** A stream of Node, such as `process.stdout`. */
export interface TextStream {
  write(text: string): unknown
  readonly isTTY?: boolean
  /** Of a terminal. */
  readonly columns?: number
}

/** Of Chinese, Japanese, Korean and emoji: two columns each. */
const wide =
  /\p{Emoji_Presentation}|\p{Script=Han}|\p{Script=Hangul}|\p{Script=Hiragana}|\p{Script=Katakana}|[\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]/u

const columnsOf = (grapheme: string): number => (wide.test(grapheme) ? 2 : /^[\p{M}\p{Cf}]*$/u.test(grapheme) ? 0 : 1)

const graphemesIn = (text: string): string[] => Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment)

/** The columns that a text takes, which has no colours. */
export const widthOf = (text: string): number =>
  /^[ -~]*$/.test(text) ? text.length : graphemesIn(text).reduce((sum, each) => sum + columnsOf(each), 0)

/** A text of at most so many columns: one that is wider ends in `…`. */
export function cutTo(text: string, width: number): string {
  if (widthOf(text) <= width) return text
  let [kept, columns] = ['', 0]
  for (const each of graphemesIn(text)) {
    columns += columnsOf(each)
    if (columns > width - 1) break
    kept += each
  }
  return width < 1 ? '' : `${kept}…`
}

/** A text of others, such as a label, within one line: what would move the cursor, colour what follows or turn its direction is `\ufffd`. */
export const oneLine = (text: string): string =>
  text.replaceAll(/[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '\ufffd')

/**
 * Whether what is written there may have colours: on a terminal, unless NO_COLOR (no-color.org) is set, or TERM is dumb. FORCE_COLOR is stronger than all
 * that, as it is for Node: with 0 or false there are none, with anything else there are, also in a file.
 */
export function hasColours({ isTTY }: { readonly isTTY?: boolean }): boolean {
  const { FORCE_COLOR, NO_COLOR = '', TERM } = process.env
  if (FORCE_COLOR !== undefined) return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false'
  return isTTY === true && NO_COLOR === '' && TERM !== 'dumb'
}

/** The numbers of ANSI's colours and weights (ECMA-48, SGR). */
const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34, magenta: 35, cyan: 36 } as const

export type Style = keyof typeof codes

/** Puts a text in a colour. */
export type Paint = (text: string, style: Style) => string

/** Colours, or the text as it is. */
export const paintIf = (colours: boolean): Paint =>
  colours ? (text, style) => (text === '' ? '' : `\x1b[${codes[style]}m${text}\x1b[0m`) : (text) => text
