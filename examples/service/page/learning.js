// What the trainer has done: the version that is served, and what came of the last rounds.

/**
 * @typedef {{ steps: number, loss: number | null, served: number | null, learned: number | null, outcome: 'swapped' | 'kept back' | 'undone',
 *   version: number }} Round
 * @typedef {{ version: number, lessons: number, recent: Round[], statistics: { rows: number, heldOut: number, rounds: number, swaps: number,
 *   keptBack: number, undone: number, versions: number[] } }} State
 */

/** Rounds in the table. */
const mostRows = 8

/** @param {number | null | undefined} loss null where JSON has no number for it */
const lossText = (loss) => (loss === null || loss === undefined ? '–' : loss.toFixed(3))

/** @param {(name: string) => HTMLElement} element of the page by its id */
export function learningView(element) {
  /** @param {State} state */
  function show({
    version,
    lessons,
    statistics: { rows, heldOut, rounds, swaps, keptBack, undone, versions },
    recent,
  }) {
    const last = recent.at(-1)
    const isFirst = versions.length <= 1
    element('version').textContent = String(version)
    element('version-note').textContent = isFirst
      ? 'as it was before any lesson'
      : `after ${swaps} ${swaps === 1 ? 'round' : 'rounds'}`
    element('lessons').textContent = String(lessons)
    element('lessons-note').textContent = `${rows} rows, ${heldOut} of them held out`
    element('rounds').textContent = String(rounds)
    element('rounds-note').textContent =
      `${swaps} served, ${keptBack} kept back${undone > 0 ? `, ${undone} undone` : ''}`
    element('loss').textContent = lossText(last?.outcome === 'swapped' ? last.learned : last?.served)
    element('loss-note').textContent = 'of what is served'
    element('recent').replaceChildren(
      ...recent
        .slice(-mostRows)
        .map((round, i, shown) => row(rounds - shown.length + i + 1, round))
        .reverse(),
    )
    element('rounds-table').hidden = recent.length === 0
    element('no-rounds').hidden = recent.length > 0
    const startOver = /** @type {HTMLButtonElement} */ (element('start-over'))
    startOver.disabled = lessons === 0
  }
  return { show }
}

/**
 * @param {number} number
 * @param {Round} round
 */
function row(number, { loss, served, learned, outcome, version }) {
  const made = document.createElement('tr')
  const heading = document.createElement('th')
  heading.scope = 'row'
  heading.textContent = String(number)
  made.append(heading)
  const what = outcome === 'swapped' ? `version ${version}` : outcome
  for (const text of [lossText(loss), lossText(served), lossText(learned), what]) {
    const cell = document.createElement('td')
    cell.textContent = text
    made.append(cell)
  }
  made.className = outcome.replace(' ', '-')
  return made
}
