/** An ES module that uses what a CommonJS module made: both ways of loading have the same types. */
import * as g from 'galvani'
import common from './mixed-formats.cts'

export const sum: g.Tensor = g.add(common.made, g.tensor([1]))
export const model: g.nn.Module = g.nn.sequential(common.layer)
