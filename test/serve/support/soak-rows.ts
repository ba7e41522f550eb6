/** The rows of the soak, and what their answers say: of which row and of which version they are, and whether all parameters were of that one. */

/** A row: its number, and a mark that follows from it and is multiplied by the parameters. */
export const rowOf = (number: number): [number, number] => [number, (number % 1009) / 1024]

/** How many numbers rows have: a float32 counts twice as far, and the server's own rows have the upper half. */
export const rowNumbers = 2 ** 23

export const width = 128
/** What all parameters of a version are: small, so that every product and sum below is exact in float32, in whatever order. */
export const parameterOf = (version: number) => 1 + (version % 7)

/** The version of an answer of `Marked` to a row, or what is wrong with it. */
export function markedVersion(row: number, answer: ArrayLike<number>): number | string {
  const [number, , , version] = Array.from(answer) as [number, number, number, number]
  if (answer.length !== 4 || number !== row) return `the answer to row ${row} is [${Array.from(answer)}]`
  const product = width * parameterOf(version) ** 2 * rowOf(row)[1]
  if (answer[1] === product && answer[2] === product) return version
  return `version ${version} and ${product} are expected in row ${row}, got [${Array.from(answer)}]`
}

/** The slope of an answer of `Alike` to a row, or what is wrong with it. */
export function alikeSlope(row: number, answer: ArrayLike<number>): number | string {
  const [number, slope, ...products] = Array.from(answer) as [number, number, ...number[]]
  if (answer.length !== 6 || number !== row) return `the answer to row ${row} is [${Array.from(answer)}]`
  const product = Math.fround(rowOf(row)[1] * slope)
  if (products.every((each) => each === product)) return slope
  return `${product} four times is expected in row ${row}, got [${Array.from(answer)}]`
}
