/** TensorFlow.js on its backend of plain JavaScript, as the packages beside this file. */
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const write = console.warn
// It says at every start that there is a faster backend.
console.warn = () => {}
export const tf = require('@tensorflow/tfjs-core')
require('@tensorflow/tfjs-backend-cpu')
export const tfl = require('@tensorflow/tfjs-layers')
export const converter = require('@tensorflow/tfjs-converter')
console.warn = write

// Layers call operations as methods, which another package, for browsers, adds.
const methods = Object.getPrototypeOf(Object.getPrototypeOf(tf.variable(tf.scalar(1))))
for (const [name, op] of Object.entries(tf))
  if (typeof op === 'function' && !(name in methods) && /^[a-z]/.test(name))
    methods[name] = function (...args) {
      return op(this, ...args)
    }
methods.flatten = function () {
  return tf.reshape(this, [this.size])
}
methods.asType = function (dtype) {
  return tf.cast(this, dtype)
}
await tf.setBackend('cpu')
