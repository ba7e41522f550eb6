// The page: what is drawn is asked for as it is drawn, and what is said of it is taught.
import { answerView, percent } from './answer.js'
import { learningView } from './learning.js'
import { newestWins } from './newest.js'
import { Pad } from './pad.js'
import { rasterOf, side } from './raster.js'

/** @typedef {import('./learning.js').State} State */

/** Milliseconds between two looks at the trainer: while a lesson is learned, and else. */
const [soon, later] = [200, 3000]
/** Milliseconds without a change after which an answer is read out. */
const quiet = 700

/** @param {string} id */
const element = (id) => /** @type {HTMLElement} */ (document.getElementById(id))
/** @param {string} text */
const say = (text) => {
  element('said').textContent = text
}

/**
 * @param {string} path
 * @param {RequestInit} [options]
 */
async function ask(path, options) {
  const response = await fetch(path, options)
  const body = await response.json()
  if (!response.ok) throw new Error(body.error)
  return body
}

/**
 * @param {string} path
 * @param {object} body
 * @param {AbortSignal} [signal]
 */
const post = (path, body, signal) =>
  ask(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body), signal })

/** @param {unknown} error */
const complain = (error) =>
  say(error instanceof TypeError ? 'The service does not answer.' : /** @type {Error} */ (error).message)

const answer = answerView(element('bars'), element('digit'), element('sure'), teach)
const learning = learningView(element)

let pixels = new Uint8Array(side * side)
/** The answer that is shown. @type {number[] | undefined} */
let probabilities
/** @type {ReturnType<typeof setTimeout> | undefined} */
let readOut

const requests = newestWins(async (/** @type {Uint8Array} */ drawing, signal) => {
  try {
    const input = { name: 'pixels', shape: [1, drawing.length], datatype: 'UINT8', data: [...drawing] }
    const { outputs } = await post('ai/v2/models/digits/infer', { inputs: [input] }, signal)
    probabilities = /** @type {number[]} */ (outputs[0].data)
    const best = answer.show(probabilities)
    if (drawing === pixels) answer.setBusy(isAsked)
    tellChange(drawing)
    clearTimeout(readOut)
    readOut = setTimeout(() => {
      element('read-out').textContent = `It looks like a ${best}.`
    }, quiet)
  } catch (error) {
    if (signal.aborted) return
    answer.setBusy(false)
    complain(error)
  }
})

let isAsked = false
const pad = new Pad(
  /** @type {HTMLCanvasElement} */ (element('pad')),
  () => {
    if (isAsked) return
    isAsked = true
    answer.setBusy(true)
    requestAnimationFrame(() => {
      isAsked = false
      look()
    })
  },
  say,
)

/** Has the drawing answered as it is now. */
function look() {
  const isBlank = pad.strokes.length === 0
  pixels = rasterOf(pad.strokes)
  showPixels()
  for (const id of ['undo', 'clear']) /** @type {HTMLButtonElement} */ (element(id)).disabled = isBlank
  answer.setBusy(!isBlank)
  if (!isBlank) return requests.send(pixels)
  requests.cancel()
  clearTimeout(readOut)
  probabilities = undefined
  answer.show(undefined)
}

/** What the network sees: white on black, as MNIST. */
function showPixels() {
  const context = /** @type {CanvasRenderingContext2D} */ (
    /** @type {HTMLCanvasElement} */ (element('seen')).getContext('2d')
  )
  const image = context.createImageData(side, side)
  for (const [place, ink] of pixels.entries()) image.data.set([ink, ink, ink, 255], 4 * place)
  context.putImageData(image, 0, 0)
}

/** @typedef {{ pixels: Uint8Array, digit: number, before: number, rounds: number }} Lesson with how likely the digit was, and the rounds before it */
/** What was taught and is not yet learned. @type {Lesson | undefined} */
let lesson
/** What was learned and is not yet answered anew. @type {(Lesson & { version: number }) | undefined} */
let learned

/** @param {number} digit */
async function teach(digit) {
  const [taught, before] = [pixels, probabilities?.[digit] ?? 0]
  try {
    const state = /** @type {State} */ (await post('lessons', { pixels: [...taught], digit }))
    lesson = { pixels: taught, digit, before, rounds: state.statistics.rounds }
    say(`A ${digit}, then. It is being learned …`)
    learning.show(state)
    watch()
  } catch (error) {
    complain(error)
  }
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let next

/** Looks at the trainer, and again after a while. */
async function watch() {
  clearTimeout(next)
  try {
    const state = /** @type {State} */ (await ask('lessons'))
    learning.show(state)
    tellOutcome(state)
  } catch (error) {
    complain(error)
  }
  clearTimeout(next)
  if (!document.hidden) next = setTimeout(watch, lesson === undefined ? later : soon)
}

/** @param {State} state */
function tellOutcome({ statistics, recent, version }) {
  const round = recent.at(-1)
  if (lesson === undefined || round === undefined || statistics.rounds <= lesson.rounds) return
  if (round.outcome === 'swapped') {
    learned = { ...lesson, version }
    look()
  } else say(`What was learned is ${round.outcome}: on the rows held out it is worse. Teach it once more.`)
  lesson = undefined
}

/** @param {Uint8Array} drawing that was answered */
function tellChange(drawing) {
  if (learned === undefined || probabilities === undefined) return
  const { digit, before, version, pixels: taught } = learned
  learned = undefined
  if (drawing.every((ink, place) => ink === taught[place]))
    say(`Version ${version} is served: a ${digit} went from ${percent(before)} to ${percent(probabilities[digit])}.`)
}

element('undo').addEventListener('click', () => pad.undo())
element('clear').addEventListener('click', () => pad.clear())
element('start-over').addEventListener('click', async () => {
  try {
    lesson = undefined
    learning.show(await post('start-over', {}))
    look()
    say('The first version is served again, and the lessons are forgotten.')
  } catch (error) {
    complain(error)
  }
})
document.addEventListener('visibilitychange', () => document.hidden || watch())

look()
watch()
