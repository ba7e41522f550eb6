import * as g from 'galvani'
import xor from './train.cjs'

await xor.main(g)
