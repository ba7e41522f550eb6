// Images and texts that a run recorded, by tag, and earlier ones of each.
import { element, newId, replace } from './dom.js'
import { noSuch } from './empty.js'
import { followRecords, leafing, placeText, viewOfRun } from './pick.js'
import { byName } from './store.js'

/** How small images are shown at least, in pixels of the page. */
const smallest = 84

/**
 * @param {import('../../events/record.ts').ImageValue} image
 * @param {string} text what is said of it
 */
export function picture({ width, height, png }, text) {
  const factor = Math.max(1, Math.ceil(smallest / Math.max(1, width, height)))
  // Only letters of base64 are left of what should be base64.
  const data = String(png).replace(/[^A-Za-z0-9+/=]/g, '')
  return element('img', {
    src: `data:image/png;base64,${data}`,
    alt: text,
    width: width * factor,
    height: height * factor,
    class: factor > 1 ? 'pixels' : null,
  })
}

/**
 * @param {HTMLElement} root
 * @param {AbortSignal} signal
 */
export function openMedia(root, signal) {
  viewOfRun(
    root,
    signal,
    (content, run, signal) => {
      const [images, texts] = [[...run.tags.images].sort(byName), [...run.tags.text].sort(byName)]
      if (images.length + texts.length === 0)
        return replace(
          content,
          noSuch(
            'images and no texts',
            'Inputs are recorded with `images: 8`, and whatever a function of your own makes of the model.',
          ),
        )
      replace(
        content,
        images.map((tag) => mediaCard(tag, (leaf) => followRecords(run, 'images', tag, leaf, signal), imagesOf(tag))),
        texts.map((tag) => mediaCard(tag, (leaf) => followRecords(run, 'text', tag, leaf, signal), textOf)),
      )
    },
    ({ tags }) => JSON.stringify([tags.images, tags.text]),
  )
}

/**
 * @param {string} tag
 * @param {(take: (records: any[]) => void) => void} follow
 * @param {(record: any) => Node} show
 */
function mediaCard(tag, follow, show) {
  const id = newId()
  const place = element('p', { class: 'quiet' })
  const content = element('div', {})
  const leaf = leafing('At', (record) => {
    place.textContent = placeText(record)
    replace(content, show(record))
  })
  follow(leaf.set)
  return element(
    'section',
    { class: 'card', 'aria-labelledby': id },
    element('header', {}, element('h2', { id }, tag), place, leaf.node),
    content,
  )
}

/** @param {string} tag */
const imagesOf =
  (tag) =>
  (/** @type {Extract<import('./source.js').RunRecord, { type: 'images' }>} */ { images }) =>
    element(
      'ul',
      { class: 'examples' },
      images.map((image, i) => element('li', {}, picture(image, `${tag}, image ${i + 1} of ${images.length}`))),
    )

const textOf = (/** @type {Extract<import('./source.js').RunRecord, { type: 'text' }>} */ { text }) =>
  element('pre', { class: 'text', tabindex: 0 }, text)
