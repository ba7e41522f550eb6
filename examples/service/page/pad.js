// A pad to draw on: with a pen, a finger or a mouse, or with the keys of the arrows.

/** @typedef {import('./raster.js').Stroke} Stroke */

/** Of the pad. */
const lineWidth = 0.07
const keyStep = 0.04

export class Pad {
  /** With coordinates from 0 to 1. @type {Stroke[]} */
  #strokes = []
  /** The pointer that draws, of several. @type {number | undefined} */
  #pointer
  /** Of the keyboard. */
  #cursor = { x: 0.5, y: 0.3, isDown: false, isShown: false }
  /** @type {HTMLCanvasElement} */
  #canvas
  /** @type {() => void} */
  #onChange
  /** @type {(text: string) => void} */
  #say

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {() => void} onChange called for each change
   * @param {(text: string) => void} say tells whoever draws by keys what they do
   */
  constructor(canvas, onChange, say) {
    this.#canvas = canvas
    this.#onChange = onChange
    this.#say = say
    canvas.addEventListener('pointerdown', (event) => this.#begin(event))
    canvas.addEventListener('pointermove', (event) => this.#follow(event))
    for (const end of /** @type {const} */ (['pointerup', 'pointercancel']))
      canvas.addEventListener(end, (event) => {
        if (event.pointerId === this.#pointer) this.#pointer = undefined
      })
    canvas.addEventListener('keydown', (event) => this.#press(event))
    canvas.addEventListener('blur', () => {
      this.#cursor.isShown = false
      this.#draw()
    })
    new ResizeObserver(() => this.#draw()).observe(canvas)
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#draw())
  }

  get strokes() {
    return this.#strokes
  }

  clear() {
    this.#strokes = []
    this.#pointer = undefined
    this.#cursor.isDown = false
    this.#changed()
  }

  undo() {
    this.#strokes.pop()
    this.#pointer = undefined
    this.#cursor.isDown = false
    this.#changed()
  }

  #changed() {
    this.#draw()
    this.#onChange()
  }

  /** @param {PointerEvent} event */
  #begin(event) {
    if (this.#pointer !== undefined || event.button !== 0) return
    this.#pointer = event.pointerId
    this.#canvas.setPointerCapture(event.pointerId)
    this.#cursor = { ...this.#cursor, isDown: false, isShown: false }
    this.#strokes.push([this.#pointOf(event)])
    this.#changed()
  }

  /** @param {PointerEvent} event */
  #follow(event) {
    if (event.pointerId !== this.#pointer) return
    // A frame may have several moves.
    const moves = event.getCoalescedEvents()
    this.#strokes.at(-1)?.push(...(moves.length === 0 ? [event] : moves).map((move) => this.#pointOf(move)))
    this.#changed()
  }

  /** @param {PointerEvent} event */
  #pointOf({ clientX, clientY }) {
    const { left, top, width, height } = this.#canvas.getBoundingClientRect()
    return { x: (clientX - left) / width, y: (clientY - top) / height }
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return
    const act = this.#actionOf(event.key)
    if (act === undefined) return
    event.preventDefault()
    this.#cursor.isShown = true
    act()
  }

  /** @param {string} key */
  #actionOf(key) {
    /** @type {Record<string, () => void>} */
    const actions = {
      ArrowLeft: () => this.#move(-keyStep, 0),
      ArrowRight: () => this.#move(keyStep, 0),
      ArrowUp: () => this.#move(0, -keyStep),
      ArrowDown: () => this.#move(0, keyStep),
      ' ': () => this.#togglePen(),
      Enter: () => this.#togglePen(),
      Backspace: () => this.undo(),
      Escape: () => this.clear(),
    }
    return Object.hasOwn(actions, key) ? actions[key] : undefined
  }

  /**
   * @param {number} right
   * @param {number} down
   */
  #move(right, down) {
    const within = (/** @type {number} */ x) => Math.min(0.95, Math.max(0.05, x))
    this.#cursor.x = within(this.#cursor.x + right)
    this.#cursor.y = within(this.#cursor.y + down)
    if (!this.#cursor.isDown) return this.#draw()
    this.#strokes.at(-1)?.push({ x: this.#cursor.x, y: this.#cursor.y })
    this.#changed()
  }

  #togglePen() {
    this.#cursor.isDown = !this.#cursor.isDown
    this.#say(this.#cursor.isDown ? 'The pen is down.' : 'The pen is up.')
    if (!this.#cursor.isDown) return this.#draw()
    this.#strokes.push([{ x: this.#cursor.x, y: this.#cursor.y }])
    this.#changed()
  }

  #draw() {
    const canvas = this.#canvas
    const size = Math.round(canvas.clientWidth * devicePixelRatio)
    if (canvas.width !== size) canvas.width = canvas.height = size
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'))
    const { color, accentColor } = getComputedStyle(canvas)
    context.clearRect(0, 0, size, size)
    context.lineWidth = lineWidth * size
    context.lineCap = context.lineJoin = 'round'
    context.strokeStyle = color
    for (const [first, ...others] of this.#strokes) {
      context.beginPath()
      context.moveTo(first.x * size, first.y * size)
      for (const { x, y } of others.length === 0 ? [first] : others) context.lineTo(x * size, y * size)
      context.stroke()
    }
    if (!this.#cursor.isShown) return
    context.lineWidth = 0.008 * size
    context.strokeStyle = context.fillStyle = accentColor
    context.beginPath()
    context.arc(this.#cursor.x * size, this.#cursor.y * size, (lineWidth / 2) * size, 0, 2 * Math.PI)
    if (this.#cursor.isDown) context.fill()
    else context.stroke()
  }
}
