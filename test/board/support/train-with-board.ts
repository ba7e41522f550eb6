/** Trains with a page, in a process of its own: the argument has the options, how many trainings, and whether one fails. */
import { board } from '../../../lib/board/index.ts'
import * as g from '../../../lib/index.ts'
import { clouds } from '../../support/training.ts'

const { fails = false, trainings = 1, ...options } = JSON.parse(process.argv[2]!)
for (let i = 0; i < trainings; i++)
  await g.fit(g.nn.linear(2, 3), clouds(60, 1), {
    ...{ epochs: 2, loss: 'crossEntropy', optimizer: g.optim.sgd({ learningRate: 0.1 }) },
    callbacks: [
      board({ name: `run ${i}`, ...options }),
      {
        onEpochEnd() {
          if (fails) throw new Error('enough')
        },
      },
    ],
  })
console.log('done')
