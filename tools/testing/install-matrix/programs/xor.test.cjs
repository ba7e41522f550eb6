/** For Jest and vitest, by their globals. */
const g = require('galvani')
const { report, trainXor } = require('./train.cjs')

test('trains XOR', async () => report(await trainXor(g)))
