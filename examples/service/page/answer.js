// What the network takes the drawing for: the likeliest digit, a bar for each of the ten, and under it the button that says it is this one.

const digits = Array.from({ length: 10 }, (_, digit) => digit)

/** @param {number} part */
export const percent = (part) => `${Math.round(part * 100)}%`

/**
 * @param {HTMLElement} list that the bars are put into
 * @param {HTMLElement} big the likeliest digit
 * @param {HTMLElement} sure how likely it is
 * @param {(digit: number) => void} onTeach
 */
export function answerView(list, big, sure, onTeach) {
  const columns = digits.map((digit) => {
    const item = document.createElement('li')
    const value = document.createElement('span')
    value.className = 'value'
    const track = document.createElement('span')
    track.className = 'track'
    const bar = document.createElement('span')
    bar.className = 'bar'
    track.append(bar)
    const button = document.createElement('button')
    button.type = 'button'
    button.textContent = String(digit)
    button.setAttribute('aria-label', `It is a ${digit}`)
    button.addEventListener('click', () => onTeach(digit))
    item.append(value, track, button)
    list.append(item)
    return { item, value, bar, button }
  })

  /** @param {ArrayLike<number> | undefined} probabilities undefined while nothing is drawn */
  function show(probabilities) {
    const best =
      probabilities === undefined ? -1 : digits.reduce((a, b) => (probabilities[b] > probabilities[a] ? b : a))
    for (const [digit, { item, value, bar, button }] of columns.entries()) {
      const part = probabilities?.[digit] ?? 0
      item.classList.toggle('best', digit === best)
      value.textContent = probabilities === undefined ? '' : percent(part)
      bar.style.setProperty('--part', String(part))
      button.disabled = probabilities === undefined
    }
    big.textContent = best === -1 ? '?' : String(best)
    big.classList.toggle('none', best === -1)
    sure.textContent = best === -1 ? 'Draw a digit.' : `${percent(probabilities?.[best] ?? 0)} sure`
    return best
  }

  /** @param {boolean} isBusy whether the answer to what is drawn now is still to come */
  function setBusy(isBusy) {
    list.setAttribute('aria-busy', String(isBusy))
  }

  show(undefined)
  return { show, setBusy }
}
