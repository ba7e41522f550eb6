// What stands where there is nothing yet: why, and what one would write.
import { element } from './dom.js'

const example = [
  "import * as g from 'galvani'",
  "import { board } from 'galvani/board'",
  '',
  'await g.fit(model, data, {',
  '  // …',
  "  callbacks: [board({ folder: 'runs', name: 'first' })],",
  '})',
].join('\n')

export const nothingYet = () =>
  element(
    'div',
    { class: 'empty' },
    element('h2', {}, 'No runs yet'),
    element(
      'p',
      {},
      'Nothing in the folder that is served has been recorded so far. A training writes a run there with a callback:',
    ),
    element('pre', {}, element('code', {}, example)),
    element('p', {}, 'It appears here as soon as its first step is done; the page need not be loaded again.'),
  )

/**
 * @param {string} what is missing
 * @param {string} [how] one gets it
 */
export const noSuch = (what, how) =>
  element(
    'div',
    { class: 'empty' },
    element('p', {}, `This run has recorded no ${what}.`),
    how !== undefined && element('p', { class: 'quiet' }, how),
  )
