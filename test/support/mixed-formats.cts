/** A CommonJS module that makes a tensor and a layer, for `mixed-formats.mts`. */
import g = require('galvani')

export = { made: g.tensor([1]), layer: g.nn.linear(1, 1) }
