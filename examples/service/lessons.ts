/** What visitors say a drawing is, as lessons for the model that is served. */
import * as g from '../../lib/index.ts'
import { type OnlineTrainer, onlineTrainer, type Predictor, type Round } from '../../lib/serve/index.ts'
import { type Digits, side } from './digits.ts'

/** Digits that are known, of which each lesson has some. */
export interface KnownDigits {
  /** 784 for each. */
  readonly pixels: Uint8Array
  readonly labels: Int32Array
}

export const knownDigits = async (mnist: { images: g.Tensor; labels: g.Tensor }): Promise<KnownDigits> => ({
  pixels: (await mnist.images.data()) as Uint8Array,
  labels: (await mnist.labels.data()) as Int32Array,
})

/** In which directions a drawing is moved by a pixel. */
const moves = [-1, 0, 1].flatMap((down) => [-1, 0, 1].map((right) => [down, right] as const)).filter(isMove)

/** Known digits in a lesson: without them a model that is told of sevens alone soon sees nothing else. */
const knownPerLesson = 24
const rowsPerLesson = moves.length + knownPerLesson

/** Rounds that are remembered for the page. */
const mostRounds = 50

export class Lessons {
  #trainer: OnlineTrainer
  #next = 0
  #taught = 0
  #rounds: Round[] = []

  constructor(
    private readonly model: Digits,
    private readonly served: Predictor,
    private readonly known: KnownDigits,
  ) {
    this.#trainer = this.#begin()
  }

  #begin(): OnlineTrainer {
    const holdOut = 0.25
    return onlineTrainer(this.model, {
      predictor: this.served,
      optimizer: g.optim.adam({ learningRate: 0.0005 }),
      loss: 'crossEntropy',
      buffer: { size: 512, kind: 'recent' },
      holdOut,
      // Each lesson has a round begin.
      every: rowsPerLesson * (1 - holdOut),
      steps: 12,
      onRound: (round) => {
        this.#rounds = [...this.#rounds, round].slice(-mostRounds)
      },
    })
  }

  /** A drawing, moved a little to and fro, and digits of MNIST, the next ones each time. */
  teach(drawing: readonly number[], digit: number): void {
    const rows = new Uint8Array(rowsPerLesson * side ** 2)
    const labels = new Int32Array(rowsPerLesson)
    for (const [i, move] of moves.entries()) {
      rows.set(moved(drawing, ...move), i * side ** 2)
      labels[i] = digit
    }
    const { pixels, labels: digits } = this.known
    for (let i = moves.length; i < rowsPerLesson; i++) {
      const place = this.#next++ % digits.length
      rows.set(pixels.subarray(place * side ** 2, (place + 1) * side ** 2), i * side ** 2)
      labels[i] = digits[place]!
    }
    this.#trainer.learn(rows, labels)
    this.#taught++
  }

  /** Serves what there was before anybody taught anything, and forgets all lessons: those in the trainer's buffer would be learned again. */
  async startOver(): Promise<void> {
    const before = this.#trainer
    await before.rollback(before.statistics().versions[0]!)
    this.#trainer = this.#begin()
    this.#taught = 0
    this.#rounds = []
    await before.close()
  }

  /** As the page shows it. */
  state() {
    return {
      version: this.served.version,
      lessons: this.#taught,
      statistics: this.#trainer.statistics(),
      recent: this.#rounds,
    }
  }

  /** Settles once no step is under way. */
  close(): Promise<void> {
    return this.#trainer.close()
  }
}

function isMove([down, right]: readonly [number, number]): boolean {
  return down !== 0 || right !== 0
}

/** What moves over the edge is gone; the edge of a drawing that was centred is blank. */
function moved(drawing: readonly number[], down: number, right: number): Uint8Array {
  return Uint8Array.from(drawing, (_, place) => {
    const [y, x] = [Math.floor(place / side) - down, (place % side) - right]
    return y >= 0 && y < side && x >= 0 && x < side ? drawing[y * side + x]! : 0
  })
}
