/** What the export of models says and writes: names, types, files, errors; loops and branches; and models read in again. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { createModel as createSpirals } from '../../examples/custom-optimizer.ts'
import { createModel as createCnn } from '../../examples/fashion-cnn.ts'
import * as g from '../../lib/index.ts'
import { ExportedGraph } from '../../lib/onnx/export/graph.ts'
import { recordModel } from '../../lib/onnx/export/recording.ts'
import * as onnx from '../../lib/onnx/index.ts'
import { decodeModel } from '../../lib/onnx/wire/messages.ts'
import type { GraphProto, ModelProto } from '../../lib/onnx/wire/onnx_pb.ts'
import { difference, hasRuntime, install, runOnnx } from '../support/onnx-runtime.ts'

const { nn } = g
const folder = mkdtempSync(join(tmpdir(), 'galvani-onnx-'))
afterAll(() => rmSync(folder, { recursive: true }))

const decoded = async (bytes: Promise<Uint8Array>): Promise<ModelProto> => decodeModel(await bytes, 'a test')
/** Without constants. */
const opsIn = ({ node }: GraphProto): string[] =>
  node.map(({ opType }) => opType).filter((opType) => opType !== 'Constant')
const operatorsOf = async (...args: Parameters<typeof onnx.export>): Promise<string[]> =>
  opsIn((await decoded(onnx.export(...(args as [never, never])) as Promise<Uint8Array>)).graph!)

const mlp = () => nn.sequential(nn.linear(4, 8), nn.relu(), nn.dropout(0.5), nn.linear(8, 3))

describe('a file', () => {
  test('has the names of the parameters, of inputs and outputs, and what it is told', async () => {
    const model = nn.sequential(nn.conv2d(1, 2, 3, { bias: false }), nn.batchNorm2d(2), nn.flatten(), nn.linear(8, 3))
    const proto = await decoded(onnx.export(model, g.zeros([2, 1, 4, 4]), { metadata: { task: 'digits' } }))
    expect(proto).toMatchObject({ irVersion: 8n, producerName: 'galvani', opsetImport: [{ version: 17n }] })
    expect(proto.metadataProps).toMatchObject([{ key: 'task', value: 'digits' }])
    const graph = proto.graph!
    const names = graph.initializer.map(({ name }) => name)
    expect(new Set(names)).toEqual(new Set(Object.keys(model.stateDict())))
    expect([graph.input, graph.output].map(([value]) => value!.name)).toEqual(['input', 'output'])
    const dims = graph.input[0]!.type!.value.value as { shape?: { dim: { value: { value?: unknown } }[] } }
    expect(dims.shape!.dim.map(({ value }) => value.value)).toEqual(['batch', 1n, 4n, 4n])
  })

  test('is of evaluation mode, whatever the mode, which stays', async () => {
    const model = mlp()
    expect(await operatorsOf(model, g.zeros([2, 4]))).toEqual(['Gemm', 'Relu', 'Gemm'])
    expect(model.training).toBe(true)
  })

  test('has inputs and outputs by the keys of objects, or as they are called', async () => {
    const f = ({ left, right }: { left: g.Tensor; right: g.Tensor }) => ({ left: left.add(right), sum: right.sum() })
    const examples = { left: g.zeros([2, 3]), right: g.zeros([2, 3]) }
    const namesOf = ({ graph }: ModelProto) => [graph!.input, graph!.output].map((list) => list.map(({ name }) => name))
    expect(namesOf(await decoded(onnx.export(f, examples)))).toEqual([
      ['left', 'right'],
      ['left_output', 'sum'],
    ])
    const named = onnx.export(f, examples, { inputNames: ['a', 'b'], outputNames: ['c', 'd'] })
    expect(namesOf(await decoded(named))).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ])
    await expect(onnx.export(f, examples, { inputNames: ['a'] })).rejects.toThrow(
      'export: expected 2 inputNames, got 1',
    )
    await expect(onnx.export(f, examples, { inputNames: ['a', 'a'] })).rejects.toThrow('a name of its own')
  })

  test('of a function has the names of a module that it calls', async () => {
    const model = mlp()
    const f = g.compile((x: g.Tensor) => model.forward(x).softmax())
    const { graph } = await decoded(onnx.export(f, g.zeros([2, 4]), { parametersOf: model }))
    expect(graph!.initializer.map(({ name }) => name)).toEqual(Object.keys(model.stateDict()))
    expect(opsIn(graph!)).toEqual(['Gemm', 'Relu', 'Gemm', 'Softmax'])
  })

  test('holds the parameters as they are, whatever becomes of them while it is written', async () => {
    const model = nn.linear(2, 1, { bias: false })
    const before = model.weight.dataSync()
    const exported = onnx.export(model, g.zeros([1, 2]))
    model.weight.assign(g.zeros([1, 2]))
    const { graph } = await decoded(exported)
    const { rawData } = graph!.initializer[0]!
    expect(new Float32Array(rawData.slice().buffer)).toEqual(before)
  })

  test('is written whole, and replaces the one before', async () => {
    const path = join(folder, 'model.onnx')
    writeFileSync(path, 'something else')
    await onnx.export(mlp(), g.zeros([2, 4]), path)
    expect(readdirSync(folder)).toEqual(['model.onnx'])
    expect(decodeModel(readFileSync(path), path).graph!.node).toHaveLength(3)
    await expect(onnx.export(mlp(), g.zeros([2, 4]), join(folder, 'none', 'model.onnx'))).rejects.toThrow(
      'export: cannot write',
    )
    rmSync(path)
  })

  test('has great parameters beside it', { meta: { install } }, async () => {
    const model = nn.sequential(nn.linear(40, 50), nn.linear(50, 2))
    const path = join(folder, 'large.onnx')
    await onnx.export(model, g.zeros([2, 40]), path, { externalDataFrom: 1000 })
    expect(readdirSync(folder).sort()).toEqual(['large.onnx', 'large.onnx.data'])
    const { initializer } = decodeModel(readFileSync(path), path).graph!
    const places = initializer.map(({ externalData }) => externalData.map(({ value }) => value))
    expect(places).toEqual([['large.onnx.data', '0', '8000'], [], [], []])
    const x = g.randn([3, 40])
    model.eval()
    const again = await onnx.load(path)
    expect(again.forward(x)).toBeInstanceOf(g.Tensor)
    expect((again.forward(x) as g.Tensor).sub(model.forward(x)).abs().max().itemSync()).toBeLessThan(1e-5)
    if (hasRuntime) {
      const { outputs } = await runOnnx(path, [x])
      expect(difference(outputs.get('output')!, model.forward(x))).toBeNull()
    }
    await expect(onnx.export(model, x, { externalDataFrom: 1000 })).rejects.toThrow(
      'export: expected a path for parameters of 1000 bytes or more, got none',
    )
  })
})

describe('what is refused', () => {
  test('operations that ONNX does not have, all of them with the reason', async () => {
    const f = (x: g.Tensor) => g.linalg.cholesky(x).add(g.polygamma(x, 1))
    await expect(onnx.export(f, g.eye(3), { dynamicBatch: false })).rejects.toThrow(
      /^export: expected operations that ONNX has, got cholesky \(.+\), polygamma \(.+\)$/,
    )
    await expect(onnx.export((x: g.Tensor) => x.add(g.randn([3])), g.zeros([2, 3]))).rejects.toThrow('random (')
    const inside = (x: g.Tensor) => g.scan((c, v) => [c.add(v), g.polygamma(v, 1)], g.zeros([3]), x)
    await expect(onnx.export(inside, g.zeros([2, 3]), { dynamicBatch: false })).rejects.toThrow(
      'operations that ONNX has, got polygamma (',
    )
  })

  test('what depends on the batch otherwise than as a multiple and a sum', async () => {
    const places = (x: g.Tensor) => x.mul(g.arange(0, x.shape[0]!).reshape([-1, 1]))
    const message = 'of a constant of reshape depends on it in a way that is not expressed in ONNX'
    await expect(onnx.export(places, g.zeros([2, 3]))).rejects.toThrow(message)
    await expect(onnx.export(places, g.zeros([2, 3]))).rejects.toThrow('pass { dynamicBatch: false }')
    expect(await operatorsOf(places, g.zeros([2, 3]), { dynamicBatch: false })).toEqual(['Reshape', 'Mul'])
    const branches = (x: g.Tensor) => (x.shape[0]! > 25 ? x.exp() : x.log())
    await expect(onnx.export(branches, g.zeros([2, 3]))).rejects.toThrow('of log depends on it')
    const fixed = (x: g.Tensor) => x.reshape([2, 3])
    await expect(onnx.export(fixed, g.zeros([2, 3]))).rejects.toThrow(
      'expected a model that takes any size of the batch',
    )
  })

  test('functions that assign variables, give nothing, or are none', async () => {
    const count = g.variable(0)
    const counting = (x: g.Tensor) => {
      count.assign(count.add(1))
      return x.add(count)
    }
    await expect(onnx.export(counting, g.zeros([2]))).rejects.toThrow('a function that assigns no variables')
    await expect(onnx.export(() => 3, g.zeros([2]))).rejects.toThrow('a function that gives tensors')
    await expect(onnx.export(3 as never, g.zeros([2]))).rejects.toThrow('a module or a function')
  })

  test('operator sets that are not written, or have no operator for something', async () => {
    await expect(onnx.export(mlp(), g.zeros([2, 4]), { opset: 12 })).rejects.toThrow('an opset')
    const f = (x: g.Tensor) => g.scatterAdd(x, g.tensor([0], { dtype: 'int32' }), g.ones([1, 3]))
    await expect(onnx.export(f, g.zeros([2, 3]), { opset: 15 })).rejects.toThrow('opset 16 or later for scatterAdd')
  })
})

describe('what is written as one operator', () => {
  test('gelu, from the operator set on that has it', async () => {
    const gelu = (x: g.Tensor) => x.gelu()
    expect(await operatorsOf(gelu, g.zeros([2]), { opset: 20 })).toEqual(['Gelu'])
    expect(await operatorsOf(gelu, g.zeros([2]), { opset: 17 })).toEqual(['Mul', 'Erf', 'Mul', 'Add', 'Mul'])
  })

  test('convolutions with their bias, and normalizations', async () => {
    const cnn = nn.sequential(nn.conv2d(1, 2, 3), nn.batchNorm2d(2), nn.relu(), nn.maxPool2d(2))
    expect(await operatorsOf(cnn, g.zeros([2, 1, 8, 8]))).toEqual(['Conv', 'BatchNormalization', 'Relu', 'MaxPool'])
    const normalized = nn.layerNorm([3, 4])
    expect(await operatorsOf(normalized, g.zeros([2, 3, 4]))).toEqual(['LayerNormalization'])
    expect(await operatorsOf(normalized, g.zeros([2, 3, 4]), { opset: 16 })).not.toContain('LayerNormalization')
    const other = (x: g.Tensor) =>
      x.sub(x.mean(1, { keepDims: true })).mul(x.var(1, { keepDims: true }).add(1e-5).rsqrt())
    expect(await operatorsOf(other, g.zeros([2, 3]))).not.toContain('LayerNormalization')
  })

  test('what is broadcast is not spread out, and what nothing reads is left out', async () => {
    const f = (x: g.Tensor) => x.add(g.ones([3])).mul(2)
    expect(await operatorsOf(f, g.zeros([2, 3]))).toEqual(['Add', 'Mul'])
  })

  test('a loop is a Scan, whose body reads the weights around it', async () => {
    const { graph } = await decoded(onnx.export(nn.gru(3, 4, { batchFirst: true }), g.zeros([2, 5, 3])))
    const scans = graph!.node.filter(({ opType }) => opType === 'Scan')
    expect(scans).toHaveLength(1)
    const body = scans[0]!.attribute.find(({ name }) => name === 'body')!.g!
    expect([body.input.length, body.output.length]).toEqual([2, 2])
    const made = new Set([...body.input.map(({ name }) => name), ...body.node.flatMap(({ output }) => output)])
    const around = body.node.flatMap(({ input }) => input).filter((name) => !made.has(name))
    const transposed = graph!.node.find(({ input }) => input.includes('weight_hh_l0'))!
    expect(around).toContain(transposed.output[0])
  })
})

/** What a model computes, an operation a line: with numbers in place of names, and as float32. */
function graphOf(model: g.nn.AnyModule, x: g.Tensor): string[] {
  const { inputs, outputs } = recordModel('test', model, [x])
  const graph = new ExportedGraph('test', [0])
  graph.merge([[...inputs, ...outputs]])
  const places = new Map(graph.operations.map((operation, i) => [operation, i]))
  const rounded = (_: string, value: unknown) => (typeof value === 'number' ? Math.fround(value) : value)
  return graph.operations.map(
    ({ name, dtype, shape, inputs, params }) =>
      `${name} ${dtype}[${shape}] of ${inputs.map((input) => places.get(input))} ${JSON.stringify(params, rounded)}`,
  )
}

describe('a model that is read in again has the graph of the one that was exported, up to names', () => {
  test.each<[string, () => g.nn.Module, g.Shape]>([
    ['a multilayer perceptron', mlp, [2, 4]],
    ['a convolutional network', () => createCnn(4), [2, 1, 28, 28]],
    ['one with layer normalization and gelu', createSpirals, [2, 2]],
  ])('%s', async (_, create, shape) => {
    const [model, x] = [create(), g.zeros(shape)]
    const again = await onnx.load(await onnx.export(model, x, { opset: 20 }))
    expect(graphOf(again, x)).toEqual(graphOf(model, x))
    expect(new Set(Object.keys(again.stateDict()))).toEqual(new Set(Object.keys(model.stateDict())))
    expect(Object.keys(again.namedParameters()).sort()).toEqual(Object.keys(model.namedParameters()).sort())
  })

  test('and learns as that does', async () => {
    const model = mlp()
    const again = await onnx.load(await onnx.export(model, g.zeros([2, 4])))
    const [x, y] = [g.randn([8, 4], { seed: 1 }), g.tensor([0, 1, 2, 0, 1, 2, 0, 1], { dtype: 'int32' })]
    const trained = [model.eval(), again.eval()].map((each) => {
      const optimizer = g.optim.sgd({ learningRate: 0.1 })
      for (let step = 0; step < 3; step++) optimizer.minimize(() => g.losses.crossEntropy(each.forward(x), y), each)
      return each.stateDict()
    })
    const [of, other] = trained as [g.nn.StateDict, g.nn.StateDict]
    for (const [name, value] of Object.entries(of)) expect(other[name]!.arraySync(), name).toEqual(value.arraySync())
  })
})

/** Functions with the shapes of their arguments, whose first dimension is the batch where it says so. */
const programs: Readonly<
  Record<string, readonly [f: (...xs: g.Tensor[]) => unknown, shape: g.Shape, dynamic?: boolean]>
> = {
  'a scan': [(x) => g.scan((c, v) => [c.mul(0.5).add(v), c.sum()], g.zeros([3]), x!), [4, 3]],
  'a scan in reverse': [(x) => g.scan((c, v) => [c.mul(v), c], g.ones([3]), x!, { reverse: true }), [4, 3]],
  'a scan without sequences': [(x) => g.scan((c) => [c.mul(0.5), c], x!, null, { length: 5 }), [4, 3], true],
  'a scan of no steps': [(x) => g.scan((c) => [c.mul(0.5), c.sum()], x!, null, { length: 0 }), [4, 3], true],
  'a scan in a scan': [
    (x) =>
      g.scan(
        (c, v) => {
          const [inner, products] = g.scan((p, q) => [p.add(q), p.mul(q)], c.sum(), v)
          return [c.add(inner), products]
        },
        g.zeros([2]),
        x!,
      ),
    [4, 3],
  ],
  'the gradient of a scan': [
    g.grad((x: g.Tensor) => g.scan((c, v) => [c.mul(v).tanh(), c.sin()], g.ones([3]), x)[1].sum()),
    [4, 3],
  ],
  'a loop as long as it takes': [
    (x) =>
      g.whileLoop(
        (c) => c.sum().less(100),
        (c) => c.mul(2).add(x!.abs().add(1)),
        x!,
        { maxSteps: 50 },
      ),
    [4, 3],
    true,
  ],
  'a branch that is taken': [
    (x) =>
      g.cond(
        x!.sum().less(1e9),
        (y) => y.mul(2),
        (y) => y.exp(),
        x!,
      ),
    [4, 3],
    true,
  ],
  'a branch that is not': [
    (x) =>
      g.cond(
        x!.sum().greater(1e9),
        (y) => y.mul(2),
        () => g.ones([2]),
        x!.sum(1).slice([0], [2]),
      ),
    [4, 3],
  ],
  'a gradient of a convolution': [
    g.grad((x: g.Tensor) =>
      g
        .conv2d(x, g.ones([2, 4, 3, 3]), { stride: 2, padding: 1 })
        .square()
        .sum(),
    ),
    [2, 4, 7, 6],
    true,
  ],
  'a gradient of max pooling': [g.grad((x: g.Tensor) => g.maxPool2d(x, 2).square().sum()), [2, 1, 4, 4], true],
  'batch by batch': [(x) => x!.matmul(x!.transpose()).softmax(), [4, 3], true],
  'backwards and padded along the batch': [
    (x) =>
      g.pad(g.flip(x!, 0), [
        [1, 2],
        [0, 1],
      ]),
    [4, 3],
    true,
  ],
  'one after the other': [(x) => g.concat([x!, g.zeros([2, 3]), x!]).reshape([-1]), [4, 3], true],
  'the mean over the batch': [(x) => x!.sub(x!.mean(0)), [4, 3], true],
  'outputs that are one, and one that is an input': [(x) => [x!.exp(), x!.exp(), x!, g.ones([2])], [4, 3], true],
}

const flatten = (x: unknown): g.Tensor[] => (x instanceof g.Tensor ? [x] : Object.values(x as object).flatMap(flatten))

describe.skipIf(!hasRuntime)('onnxruntime gives what functions give', () => {
  test.each(Object.entries(programs))('%s', { meta: { install } }, async (_, [f, shape, dynamic = false]) => {
    const bytes = await onnx.export(f, g.zeros(shape), { dynamicBatch: dynamic })
    for (const batch of dynamic ? [shape[0]!, 6] : [shape[0]!]) {
      const x = g.randn([batch, ...shape.slice(1)], { seed: 3 })
      const { outputs } = await runOnnx(bytes, [x])
      const found = [...outputs.values()]
      expect(flatten(f(x)).map((y, i) => difference(found[i]!, y))).toEqual(found.map(() => null))
    }
  })

  test.each([13, 15, 18, 20, 21, 23])('a model of opset %i', { meta: { install } }, async (opset) => {
    const model = nn.sequential(
      nn.conv1d(3, 4, 3),
      nn.batchNorm1d(4),
      nn.gelu(),
      nn.flatten(),
      nn.linear(12, 5),
      nn.softmax(),
    )
    model.eval()
    const x = g.randn([3, 3, 5], { seed: 2 })
    const { outputs } = await runOnnx(await onnx.export(model, g.zeros([2, 3, 5]), { opset }), [x])
    expect(difference(outputs.get('output')!, model.forward(x))).toBeNull()
  })
})
