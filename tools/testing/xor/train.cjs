/** Trains XOR by the library that it is given. What comes of it has the same bits wherever the same kernels run. */
const { createHash } = require('node:crypto')
const { writeFileSync } = require('node:fs')

/** @param {ArrayBufferView[]} arrays */
const digest = (arrays) => {
  const hash = createHash('sha256')
  for (const array of arrays) hash.update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength))
  return hash.digest('hex').slice(0, 16)
}

/**
 * The backend, the last loss, and a digest of every bit of the losses and of the trained parameters.
 *
 * @param {typeof import('galvani')} g
 */
async function trainXor(g) {
  g.setSeed(1)
  const x = g.tensor([
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ])
  const y = g.tensor([[0], [1], [1], [0]])
  const model = g.nn.sequential(g.nn.linear(2, 16), g.nn.tanh(), g.nn.linear(16, 1))
  const optimizer = g.optim.adam({ learningRate: 0.05 })
  const data = g.data.fromTensors(x, y)
  const { epochs } = await g.fit(model, data, { epochs: 300, batchSize: 4, loss: 'binaryCrossEntropy', optimizer })
  const outputs = await model.forward(x).greater(0).data()
  const parameters = await Promise.all(model.parameters().map((parameter) => parameter.value.data()))
  const { backend, isa } = g.backendInfo()
  return {
    backend,
    isa,
    outputs: Array.from(outputs).join(''),
    loss: epochs.at(-1)?.loss,
    bits: digest([Float64Array.from(epochs, (epoch) => epoch.loss), ...parameters]),
  }
}

/**
 * A line of JSON on the standard output, or in the file that GALVANI_XOR_REPORT names, where pipes do not work.
 *
 * @param {object} result
 */
function report(result) {
  const line = `${JSON.stringify(result)}\n`
  if (process.env.GALVANI_XOR_REPORT) writeFileSync(process.env.GALVANI_XOR_REPORT, line)
  else process.stdout.write(line)
}

/**
 * Trains and reports; what fails is reported, too.
 *
 * @param {typeof import('galvani')} g
 */
async function main(g) {
  try {
    report(await trainXor(g))
  } catch (error) {
    report({ error: error instanceof Error ? error.stack : error })
    process.exitCode = 1
  }
}

module.exports = { trainXor, report, main }
