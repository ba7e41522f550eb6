/** Models as exporters write them, against what PyTorch computes by them. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import * as onnx from '../../lib/onnx/index.ts'

const folder = fileURLToPath(new URL('../fixtures/onnx/', import.meta.url))

interface Recorded {
  readonly shape: number[]
  readonly values: number[]
}
const expected: Record<string, { x: Recorded; y: Recorded }> = JSON.parse(
  readFileSync(`${folder}expected.json`, 'utf8'),
)

const tensorOf = ({ shape, values }: Recorded) => g.tensor(values, { shape })

/** What PyTorch calls them; its exporters keep the names of all but the weights of recurrent layers, which ONNX has in another order. */
const parameters: Record<string, string[]> = {
  perceptron: ['head.bias', 'head.weight', 'hidden.bias', 'hidden.weight'],
  recurrent: ['head.bias', 'head.weight'],
}

describe.each(['torchscript', 'dynamo'])('the %s exporter', (exporter) => {
  test.each(Object.entries(expected))('%s', async (name, { x, y }) => {
    const model = await onnx.load(`${folder}${name}-${exporter}.onnx`)
    const [input, output] = [tensorOf(x), tensorOf(y)]
    expect(g.allClose(model.forward(input), output, { rtol: 1e-4, atol: 1e-5 }).itemSync()).toBe(1)
    expect(g.allClose(await model.run(input), output, { rtol: 1e-4, atol: 1e-5 }).itemSync()).toBe(1)
    expect(Object.keys(model.namedParameters())).toEqual(expect.arrayContaining(parameters[name] ?? []))
    // Another batch than the one that it was exported with.
    const [rows] = x.shape
    const twice = model.forward(g.concat([input, input]))
    expect(g.allClose(g.slice(twice, rows!), output, { rtol: 1e-4, atol: 1e-5 }).itemSync()).toBe(1)
  })

  test('can be trained on', async () => {
    const model = await onnx.load(`${folder}perceptron-${exporter}.onnx`)
    const x = g.randn([16, 3, 4])
    const wanted = g.oneHot(g.cast(g.greater(g.sum(x, [1, 2]), 0), 'int32'), 4)
    const loss = () => g.losses.meanSquaredError(model.forward(x), wanted)
    const optimizer = g.optim.adam({ learningRate: 0.05 })
    const before = loss().itemSync()
    const step = g.compile(() => optimizer.minimize(loss, model.parameters()))
    for (let i = 0; i < 30; i++) step.sync()
    expect(loss().itemSync()).toBeLessThan(before / 2)
  })
})

describe('a model with a choice, a loop and functions that call each other', () => {
  /** x is doubled or becomes 0 as its sum is positive or not; that is added to it three times, and half the square is given. */
  const wanted = (x: number[]) => {
    const chosen = x.map((v) => (x.reduce((a, b) => a + b) > 0 ? v + v : 0))
    const after = (steps: number) => x.map((v, i) => v + steps * chosen[i]!)
    return { y: after(3).map((v) => 0.5 * v * v), all: [1, 2, 3].map(after) }
  }

  test.each([[[1, 2]], [[-1, -2]]])('%j', async (x) => {
    const model = await onnx.load(`${folder}control.onnx`)
    const { y, all }: Record<string, g.Tensor> = model.forward(g.tensor(x))
    expect({ y: y!.arraySync(), all: all!.arraySync() }).toEqual(wanted(x))
    const compiled: Record<string, g.Tensor> = await model.run(g.tensor(x))
    expect({ y: compiled.y!.arraySync(), all: compiled.all!.arraySync() }).toEqual(wanted(x))
  })
})
