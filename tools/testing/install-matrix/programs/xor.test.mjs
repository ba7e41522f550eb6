/** The same as an ES module. */
import * as g from 'galvani'
import { report, trainXor } from './train.cjs'

test('trains XOR', async () => report(await trainXor(g)))
