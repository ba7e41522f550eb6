/** A function as AWS Lambda calls it: what the module does at its start is done once, and each event asks it. */
import * as g from 'galvani'
import { trainXor } from './train.cjs'

const trained = trainXor(g)

export const handler = async () => ({ statusCode: 200, body: JSON.stringify(await trained) })
