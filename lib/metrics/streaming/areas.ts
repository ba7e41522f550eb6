/** Areas under the curves that a falling threshold draws, from how much of yes and of no it passes at a time. */
import { elementAt } from '../../base/lists.ts'
import { type Pieces, stepsPerPiece } from '../../base/turns.ts'

/** Which curve: true over false positives, or precision over recall. */
export type Curve = 'roc' | 'precisionRecall'

/** The area under a curve, as its points come. */
export class Area {
  readonly #curve: Curve
  #yes = 0
  #no = 0
  #area = 0

  constructor(curve: Curve) {
    this.#curve = curve
  }

  /** There are scores that no threshold compares with. */
  lose(): void {
    this.#area = Number.NaN
  }

  /** The threshold passes what has one score. */
  pass(yes: number, no: number): void {
    // Between two points of a ROC curve a straight line; precision counts as it is when the threshold has passed.
    if (this.#curve === 'roc') this.#area += no * (this.#yes + yes / 2)
    this.#yes += yes
    this.#no += no
    if (this.#curve === 'precisionRecall' && yes > 0) this.#area += (yes * this.#yes) / (this.#yes + this.#no)
  }

  /** How much of yes there was. */
  get yes(): number {
    return this.#yes
  }

  /** NaN of a ROC curve without yes or without no; 0 of precision and recall without yes, as scikit-learn has it. */
  get value(): number {
    if (this.#curve === 'roc') return this.#area / (this.#yes * this.#no)
    return this.#yes === 0 ? 0 * this.#area : this.#area / this.#yes
  }
}

/** Of bins of scores, from the least; in the last one are those that are NaN. */
export function areaOfBins(curve: Curve, yes: ArrayLike<number>, no: ArrayLike<number>): Area {
  const area = new Area(curve)
  const nan = yes.length - 1
  if (elementAt(yes, nan) + elementAt(no, nan) > 0) area.lose()
  for (let i = nan - 1; i >= 0; i--) area.pass(elementAt(yes, i), elementAt(no, i))
  return area
}

/** Scores with what they are scores of, in one list. */
export interface Scored {
  readonly scores: ArrayLike<number>
  readonly yes: (place: number) => boolean
  readonly weight: (place: number) => number
}

/** Steps here go all over the memory, and are worth more than the usual ones. */
const steps = stepsPerPiece / 8

/** Of scores in the order that sorts them, the greatest first. */
export function* areaOfSorted(curve: Curve, order: ArrayLike<number>, { scores, yes, weight }: Scored): Pieces<Area> {
  const area = new Area(curve)
  let [yesHere, noHere] = [0, 0]
  for (let i = 0; i < order.length; i++) {
    const place = elementAt(order, i)
    const w = weight(place)
    if (w !== 0 && Number.isNaN(scores[place])) area.lose()
    if (yes(place)) yesHere += w
    else noHere += w
    const isLast = i + 1 === order.length || elementAt(scores, elementAt(order, i + 1)) !== elementAt(scores, place)
    if (isLast) {
      area.pass(yesHere, noHere)
      yesHere = noHere = 0
    }
    if (i % steps === steps - 1) yield
  }
  return area
}
