/** Recurrent layers give what PyTorch's give, values and gradients, from its parameters. */
import { readFileSync } from 'node:fs'
import { beforeEach, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { backendNames } from '../support/backends.ts'

type Nested = number | Nested[]

interface Case {
  readonly kind: 'rnn' | 'gru' | 'lstm'
  readonly options: { num_layers?: number; bidirectional?: boolean; batch_first?: boolean; bias?: boolean }
  readonly lengths: number[] | null
  readonly x: Nested
  readonly initial: Nested[]
  readonly parameters: Readonly<Record<string, Nested>>
  readonly output: Nested
  readonly state: Nested[]
  readonly gradients: { x: Nested; initial: Nested[]; parameters: Readonly<Record<string, Nested>> }
}

type CellCase = Pick<Case, 'x' | 'initial' | 'parameters' | 'state'> & { kind: 'rnnCell' | 'gruCell' | 'lstmCell' }

const fixtures: { layers: Case[]; cells: CellCase[] } = JSON.parse(
  readFileSync(new URL('../fixtures/recurrent.json', import.meta.url), 'utf8'),
)

const tensorOf = (x: Nested): g.Tensor => g.tensor(x as number[])
const listOf = (state: unknown): g.Tensor[] => (Array.isArray(state) ? state : [state]) as g.Tensor[]

function expectClose(found: g.Tensor, wanted: Nested, what: string): void {
  const other = tensorOf(wanted)
  expect(found.shape, what).toEqual(other.shape)
  const values = other.dataSync()
  found.dataSync().forEach((x, i) => {
    expect(Math.abs(x - values[i]!), what).toBeLessThanOrEqual(2e-5 * (1 + Math.abs(values[i]!)))
  })
}

const weighted = (tensors: readonly g.Tensor[]): g.Tensor =>
  tensors
    .map((x) => x.mul(g.arange(x.size).reshape(x.shape).cos()).sum())
    .reduce((sum, term) => sum.add(term), g.tensor(0))

function layerOf({ kind, options, parameters }: Case) {
  const { num_layers: layers = 1, batch_first: batchFirst = false, ...others } = options
  const layer = g.nn[kind](4, 3, { layers, batchFirst, ...others })
  layer.loadStateDict(Object.fromEntries(Object.entries(parameters).map(([name, x]) => [name, tensorOf(x)])))
  return layer as g.nn.Recurrent<unknown>
}

const nameOf = ({ kind, options, lengths }: Case) => `${kind} ${JSON.stringify(options)} ${lengths ?? ''}`
const layers = fixtures.layers.map((c) => [nameOf(c), c] as const)

describe.each(backendNames)('recurrent layers on %s', (backend) => {
  beforeEach(() => g.setBackend(backend))

  test.each(layers)('%s has the values and gradients of PyTorch', (_, c) => {
    const layer = layerOf(c)
    const x = g.variable(tensorOf(c.x))
    const initial = c.initial.map((state) => g.variable(tensorOf(state)))
    const given = initial.length === 1 ? initial[0] : initial
    const { output, state } = layer.forward(x, given as never, { lengths: c.lengths })
    expectClose(output, c.output, 'output')
    listOf(state).forEach((last, i) => {
      expectClose(last, c.state[i]!, `state ${i}`)
    })
    const named = layer.namedParameters()
    const inputs = [x, ...initial, ...Object.values(named)]
    const gradients = g.gradients(weighted([output, ...listOf(state)]), inputs)
    expectClose(gradients[0]!, c.gradients.x, 'gradient of x')
    initial.forEach((_, i) => {
      expectClose(gradients[1 + i]!, c.gradients.initial[i]!, `gradient of state ${i}`)
    })
    Object.keys(named).forEach((name, i) => {
      expectClose(gradients[1 + initial.length + i]!, c.gradients.parameters[name]!, `gradient of ${name}`)
    })
  })

  test.each(fixtures.cells)('$kind gives what PyTorch gives', ({ kind, x, initial, parameters, state }) => {
    const cell = g.nn[kind](4, 3) as g.nn.RecurrentCell<unknown>
    cell.loadStateDict(Object.fromEntries(Object.entries(parameters).map(([name, x]) => [name, tensorOf(x)])))
    const given = initial.map(tensorOf)
    listOf(cell.forward(tensorOf(x), given.length === 1 ? given[0]! : given)).forEach((next, i) => {
      expectClose(next, state[i]!, `state ${i}`)
    })
  })

  test('padding changes nothing, whatever it is', () => {
    const layer = g.nn.lstm(2, 3, { bidirectional: true, layers: 2 })
    const x = g.randn([4, 2, 2], { seed: 1 })
    const padding = g
      .arange(4)
      .reshape([4, 1, 1])
      .greaterEqual(g.tensor([2, 4]).reshape([1, 2, 1]))
    const run = (filling: number) => {
      const { output, state } = layer.forward(g.where(padding, filling, x), null, { lengths: [2, 4] })
      return [output, ...state].map((tensor) => tensor.arraySync())
    }
    expect(run(0)).toEqual(run(1e6))
    const alone = layer.forward(x.slice([0, 0, 0], [2, 1, 2]))
    const { output, state } = layer.forward(x, null, { lengths: g.tensor([2, 4], { dtype: 'int32' }) })
    expectClose(output.slice([0, 0, 0], [2, 1, 6]), alone.output.arraySync() as Nested, 'output')
    expectClose(state[0].slice([0, 0, 0], [4, 1, 3]), alone.state[0].arraySync() as Nested, 'hidden state')
  })
})

describe('recurrent layers', () => {
  const { nn } = g

  test('have the names, sizes and range of PyTorch', () => {
    g.setSeed(1)
    const lstm = nn.lstm(4, 16, { layers: 2, bidirectional: true })
    expect(Object.keys(lstm.stateDict()).slice(0, 8)).toEqual([
      'weight_ih_l0',
      'weight_hh_l0',
      'bias_ih_l0',
      'bias_hh_l0',
      'weight_ih_l0_reverse',
      'weight_hh_l0_reverse',
      'bias_ih_l0_reverse',
      'bias_hh_l0_reverse',
    ])
    expect(lstm.stateDict().weight_ih_l1!.shape).toEqual([64, 32])
    const values = [...lstm.parameters()[1]!.dataSync()]
    expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(0.25)
    expect(Math.max(...values)).toBeGreaterThan(0.24)
    expect(String(nn.gru(4, 8, { layers: 2 }))).toBe('GRU(inputSize=4, hiddenSize=8, layers=2)')
  })

  test('take one sequence alone, and hand their output on in a sequence', () => {
    const layer = nn.gru(2, 3)
    const x = g.randn([5, 2], { seed: 1 })
    const { output, state } = layer.forward(x)
    expect([output.shape, state.shape]).toEqual([
      [5, 3],
      [1, 3],
    ])
    const batch = layer.forward(x.unsqueeze(1))
    expectClose(output, batch.output.squeeze(1).arraySync() as Nested, 'output')
    const model = nn.sequential(
      nn.lstm(2, 3, { batchFirst: true }),
      nn.rnn(3, 4, { batchFirst: true }),
      nn.linear(4, 1),
    )
    expect(model.forward(g.zeros([6, 5, 2])).shape).toEqual([6, 5, 1])
  })

  test('drop between layers in training mode alone', () => {
    const layer = nn.lstm(2, 8, { layers: 2, dropout: 0.5 })
    const x = g.ones([3, 1, 2])
    const twice = () => [layer.forward(x).output.arraySync(), layer.forward(x).output.arraySync()]
    const [a, b] = twice()
    expect(a).not.toEqual(b)
    layer.eval()
    const [c, d] = twice()
    expect(c).toEqual(d)
  })

  test('learn, in fit, which symbol came first', async () => {
    g.setSeed(3)
    const first = g.randint([256], 0, 2, { seed: 1 })
    const noise = g.randint([256, 6], 0, 2, { seed: 2 })
    const symbols = g.concat([first.reshape([256, 1]), noise], 1)
    class Reader extends nn.Module {
      readonly embedding = nn.embedding(2, 4)
      readonly lstm = nn.lstm(4, 16, { batchFirst: true })
      readonly head = nn.linear(16, 2)
      forward(x: g.Tensor) {
        return this.head.forward(this.lstm.forward(this.embedding.forward(x)).state[0].squeeze(0))
      }
    }
    const history = await g.fit(new Reader(), g.data.fromTensors(symbols, first), {
      ...{ epochs: 12, batchSize: 32, seed: 1, loss: 'crossEntropy', metrics: ['accuracy'] },
      optimizer: g.optim.adam({ learningRate: 0.02 }),
    })
    expect(history.epochs.at(-1)!.accuracy).toBeGreaterThan(0.95)
  })

  test('say what is wrong', () => {
    expect(() => nn.lstm(0, 3)).toThrow('lstm: expected a positive integer of inputs')
    expect(() => nn.gru(2, 3, { layer: 2 } as never)).toThrow('layers')
    expect(() => nn.rnn(2, 3, { nonlinearity: 'sin' as never })).toThrow(RangeError)
    const layer = nn.lstm(2, 3, { batchFirst: true })
    expect(() => layer.forward(g.zeros([4, 5]))).toThrow(
      'lstm: expected an input of shape [batch, steps, 2], got [4, 5]',
    )
    expect(() => layer.forward(g.zeros([4, 5, 2]), [g.zeros([1, 4, 3])] as never)).toThrow('2 states')
    expect(() => layer.forward(g.zeros([4, 5, 2]), g.zeros([1, 4, 3]) as never)).toThrow('the states [h, c]')
    expect(() => layer.forward(g.zeros([4, 5, 2]), [g.zeros([1, 4, 3]), g.zeros([1, 5, 3])])).toThrow(
      new g.ShapeError('lstm: expected a state of shape [1, 4, 3], got [1, 5, 3]'),
    )
    expect(() => layer.forward(g.zeros([4, 5, 2]), null, { lengths: [1, 2] })).toThrow('lengths of shape [4]')
    expect(() => layer.forward(g.zeros([2, 5, 2]), null, { lengths: [0, 6] })).toThrow('lengths from 1 to 5')
    expect(() => nn.lstmCell(2, 3).forward(g.zeros([2, 4]))).toThrow(g.ShapeError)
  })
})

test('a number of layers that nobody waits for is refused', () => {
  expect(() => g.nn.lstm(2, 3, { layers: 2 ** 31 })).toThrow('lstm: expected a positive number of layers')
})
