/** JSON of a file that may be hostile: neither so long nor so deep that reading it would fail. */
import { fail, type Origin } from './config.ts'

export const mostJsonBytes = 2 ** 28
const deepest = 256

/** @throws DataFormatError for what is no JSON, or deeper than that */
export function parseJson(origin: Origin, text: string, what: string): unknown {
  if (text.length > mostJsonBytes) fail(origin, `${what} of at most ${mostJsonBytes} letters`, `${text.length}`)
  if (depthOf(text) > deepest) fail(origin, `${what} at most ${deepest} deep`, 'something deeper')
  try {
    return JSON.parse(text)
  } catch (error) {
    return fail(origin, `${what} as JSON`, (error as Error).message)
  }
}

/** How deep brackets are in each other, outside of texts. */
function depthOf(text: string): number {
  let [depth, deepestHere, isText] = [0, 0, false]
  for (let i = 0; i < text.length; i++) {
    const letter = text[i]
    if (isText) {
      if (letter === '\\') i++
      else if (letter === '"') isText = false
    } else if (letter === '"') isText = true
    else if (letter === '{' || letter === '[') deepestHere = Math.max(deepestHere, ++depth)
    else if (letter === '}' || letter === ']') depth--
  }
  return deepestHere
}
