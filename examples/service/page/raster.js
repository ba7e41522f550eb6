// Strokes of a pen as MNIST has its digits: 28×28 bytes, the ink fitted into 20×20, its centre of mass in the middle.

/** @typedef {{ x: number, y: number }} Point */
/** @typedef {Point[]} Stroke */

export const side = 28
const box = 20
/** MNIST's lines are some 2.5 pixels wide. */
const radius = 1.25
/** Where the centre of mass is in MNIST's images, on average, of both axes. */
const middle = 14
/** Of the pad: a dot is not blown up to the size of a digit. */
const leastExtent = 0.1

/**
 * @param {Stroke[]} strokes with coordinates of any scale, as long as it is that of a pad from 0 to 1
 * @returns {Uint8Array<ArrayBuffer>} 255 where there is ink
 */
export function rasterOf(strokes) {
  const points = strokes.flat()
  if (points.length === 0) return new Uint8Array(side * side)
  const [left, right] = rangeOf(points.map(({ x }) => x))
  const [top, bottom] = rangeOf(points.map(({ y }) => y))
  const scale = (box - 2 * radius) / Math.max(right - left, bottom - top, leastExtent)
  /** @param {Point} centre */
  const drawnAround = (centre) =>
    inkOf(
      strokes.map((stroke) =>
        stroke.map(({ x, y }) => ({
          x: (x - (left + right) / 2) * scale + centre.x,
          y: (y - (top + bottom) / 2) * scale + centre.y,
        })),
      ),
    )
  const centre = { x: middle, y: middle }
  const mass = centreOfMass(drawnAround(centre))
  return drawnAround({ x: 2 * centre.x - mass.x, y: 2 * centre.y - mass.y })
}

/**
 * @param {number[]} values
 * @returns {[least: number, most: number]}
 */
function rangeOf(values) {
  let [least, most] = [Infinity, -Infinity]
  for (const value of values) {
    least = Math.min(least, value)
    most = Math.max(most, value)
  }
  return [least, most]
}

/** @param {Uint8Array} pixels */
export function centreOfMass(pixels) {
  let [mass, x, y] = [0, 0, 0]
  pixels.forEach((ink, place) => {
    mass += ink
    x += ink * (place % side)
    y += ink * Math.floor(place / side)
  })
  return { x: x / mass, y: y / mass }
}

/**
 * Ink by the distance to the next line, with soft edges. Integers are the middles of pixels.
 * @param {Stroke[]} strokes in pixels
 */
function inkOf(strokes) {
  const pixels = new Uint8Array(side * side)
  const reach = radius + 0.5
  for (const stroke of strokes)
    stroke.forEach((to, i) => {
      const from = stroke[Math.max(0, i - 1)]
      const [left, right] = pixelRange(from.x, to.x, reach)
      const [top, bottom] = pixelRange(from.y, to.y, reach)
      for (let y = top; y <= bottom; y++)
        for (let x = left; x <= right; x++) {
          const ink = 255 * Math.min(1, reach - distance({ x, y }, from, to))
          if (ink > pixels[y * side + x]) pixels[y * side + x] = Math.round(ink)
        }
    })
  return pixels
}

/**
 * @param {number} a
 * @param {number} b
 * @param {number} reach
 */
const pixelRange = (a, b, reach) => [
  Math.max(0, Math.ceil(Math.min(a, b) - reach)),
  Math.min(side - 1, Math.floor(Math.max(a, b) + reach)),
]

/**
 * Of a point from a line between two others.
 * @param {Point} point
 * @param {Point} from
 * @param {Point} to
 */
function distance(point, from, to) {
  const [dx, dy] = [to.x - from.x, to.y - from.y]
  const length = dx * dx + dy * dy
  const along = length === 0 ? 0 : ((point.x - from.x) * dx + (point.y - from.y) * dy) / length
  const part = Math.min(1, Math.max(0, along))
  return Math.hypot(point.x - from.x - part * dx, point.y - from.y - part * dy)
}
