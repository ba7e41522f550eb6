import * as g from 'galvani'
import xor from './train.cjs'

xor.main(g)
