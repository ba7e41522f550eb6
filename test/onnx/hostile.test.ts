/** Files that are no models, or ask for what a reader must not do: each is an error that says where. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import * as onnx from '../../lib/onnx/index.ts'
import { create, decodeModel, encodeModel } from '../../lib/onnx/wire/messages.ts'
import { FunctionProtoSchema, type ModelProto, type TensorProto } from '../../lib/onnx/wire/onnx_pb.ts'
import { floats, type GraphParts, graph, int64s, model, node, value } from './build.ts'

const x = value('x', 'float', [2])
const y = value('y', 'float', [2])

const refusal = (bytes: Uint8Array, options?: onnx.LoadOptions): Promise<unknown> =>
  onnx.load(bytes, options).then(
    () => 'loaded',
    (error: unknown) => error,
  )

/** Parts of a model with the rest of it as it has to be. */
const parts = (given: Partial<GraphParts>): GraphParts => ({
  inputs: [x],
  outputs: [y],
  nodes: [node('Relu', ['x'], ['y'])],
  ...given,
})

/** A model with something changed in its message. */
function changed(change: (message: ModelProto) => void, given: Partial<GraphParts> = {}): Uint8Array {
  const message = decodeModel(model(parts(given)), 'bytes')
  change(message)
  return encodeModel(message)
}

/** A weight whose message is changed. */
const withWeight = (change: Partial<TensorProto>, nodes = [node('Add', ['x', 'w'], ['y'])]) =>
  model(parts({ nodes, initializers: [Object.assign(floats('w', [2], [1, 2]), change)] }))

describe('a file is refused with a DataFormatError that names the place', () => {
  const whole = model(parts({}))
  const cases: Record<string, [Uint8Array, RegExp]> = {
    'cut short': [whole.subarray(0, whole.length - 3), /^onnx\.load: expected an ONNX model, got .+ \(bytes\)$/],
    'no protobuf': [new TextEncoder().encode('<html>no model</html>'), /expected an ONNX model, got/],
    'nothing at all': [new Uint8Array(0), /expected a graph, got none \(bytes\)/],
    'of a later IR version': [model(parts({}), 17, 15), /expected an IR version from 3 to 14, got 15n \(bytes\)/],
    'of a later opset': [model(parts({}), 29), /expected an opset from 1 to 28, got 29 \(bytes\)/],
    'a circle': [
      model(parts({ nodes: [node('Add', ['x', 'b'], ['a']), node('Relu', ['a'], ['b']), node('Relu', ['b'], ['y'])] })),
      /expected inputs that come before the node, got b, which does not \(input 1 of node a \(Add\)\)/,
    ],
    'a node that reads itself': [model(parts({ nodes: [node('Relu', ['y'], ['y'])] })), /got y, which does not/],
    'one name twice': [
      model(parts({ nodes: [node('Relu', ['x'], ['y']), node('Exp', ['x'], ['y'])] })),
      /expected different names of values, got two y \(node y \(Exp\)\)/,
    ],
    'an output that is nothing': [model(parts({ outputs: [value('z', 'float', [2])] })), /got z, which does not/],
    'one attribute twice': [
      changed((message) => message.graph!.node[0]!.attribute.push(message.graph!.node[0]!.attribute[0]!), {
        nodes: [node('LeakyRelu', ['x'], ['y'], { alpha: 0.5 })],
      }),
      /expected attributes of different names, got two alpha \(node y \(LeakyRelu\)\)/,
    ],
    'fewer bytes than the shape asks for': [
      withWeight({ dims: [3n] }),
      /expected 12 bytes for shape \[3\], got 8 \(initializer w of bytes\)/,
    ],
    'a negative extent': [withWeight({ dims: [-2n] }), /expected dims from 0 to 2³¹ − 1, got -2n \(initializer w/],
    'extents beyond any memory': [
      withWeight({ dims: [2n ** 30n, 2n ** 30n] }),
      /expected at most 2³¹ − 1 elements, got 1152921504606846976n \(initializer w/,
    ],
    'an extent beyond doubles': [withWeight({ dims: [2n ** 62n] }), /expected dims from 0 to 2³¹ − 1/],
    'too many axes': [withWeight({ dims: new Array(9).fill(1n) }), /expected at most 8 dims, got 9/],
    'an unknown type': [withWeight({ dataType: 99 }), /expected a data type, got 99 \(initializer w/],
    'texts where numbers are asked for': [withWeight({ dataType: 8 }), /expected a tensor of numbers, got string/],
    'a sequence as an input': [
      changed((message) => {
        message.graph!.input[0]!.type!.value = { case: 'sequenceType', value: { $typeName: 'onnx.TypeProto.Sequence' } }
      }),
      /expected a tensor, got sequenceType \(bytes: input x\)/,
    ],
  }

  test.each(Object.entries(cases))('%s', async (_, [bytes, message]) => {
    const error = await refusal(bytes)
    expect(error).toBeInstanceOf(g.DataFormatError)
    expect((error as Error).message).toMatch(message)
  })

  test('cut anywhere', async () => {
    for (let length = 0; length < whole.length; length++) {
      const error = await refusal(whole.subarray(0, length))
      expect(error, String(length)).toBeInstanceOf(Error)
      expect((error as Error).message).toMatch(/^onnx\.load: /)
    }
  })

  test('graphs within graphs, deeper than any model', async () => {
    const none = { outputs: [value('v', 'float', [])], nodes: [node('Constant', [], ['v'], { value_float: 1 })] }
    const nested = (depth: number): Uint8Array => {
      let inner = graph(none)
      for (let i = 0; i < depth; i++)
        inner = graph({
          outputs: [value(`v${i}`, 'float', [])],
          nodes: [node('If', ['c'], [`v${i}`], { then_branch: inner })],
        })
      return model({ inputs: [value('c', 'bool', [])], outputs: inner.output, nodes: inner.node })
    }
    expect(await onnx.load(nested(20))).toBeInstanceOf(onnx.OnnxModel)
    const error = await refusal(nested(80))
    expect(error).toBeInstanceOf(g.DataFormatError)
    expect((error as Error).message).toMatch(/expected an ONNX model, got .+ maximum recursion depth of 200/)
  })
})

describe('functions of a model', () => {
  const fn = (name: string, nodes: string[]) =>
    create(FunctionProtoSchema, {
      ...{ name, domain: 'own', input: ['v'], output: ['w'], opsetImport: [{ domain: '', version: 17n }] },
      node: nodes.map((operator, i) =>
        node(
          operator,
          [i === 0 ? 'v' : `v${i - 1}`],
          [i === nodes.length - 1 ? 'w' : `v${i}`],
          {},
          operator === 'Relu' ? '' : 'own',
        ),
      ),
    })
  const withFunctions = (...functions: ReturnType<typeof fn>[]) =>
    changed((message) => message.functions.push(...functions), { nodes: [node('f0', ['x'], ['y'], {}, 'own')] })

  test('may not call themselves, in whichever way', async () => {
    const error = await refusal(withFunctions(fn('f0', ['f1']), fn('f1', ['Relu', 'f0'])))
    expect(String(error)).toMatch(/expected functions that do not call themselves, got own:f0:/)
  })

  test('may not become more nodes than a model has', async () => {
    const doubling = Array.from({ length: 40 }, (_, i) => fn(`f${i}`, i === 39 ? ['Relu'] : [`f${i + 1}`, `f${i + 1}`]))
    expect(String(await refusal(withFunctions(...doubling)))).toMatch(/expected at most 500000 nodes/)
  }, 60_000)

  test('may not have one name twice', async () => {
    expect(String(await refusal(withFunctions(fn('f0', ['Relu']), fn('f0', ['Relu']))))).toMatch(
      /expected different functions/,
    )
  })
})

describe('what a node is given is said with the node', () => {
  const failing = (nodes: Parameters<typeof parts>[0]['nodes'], initializers: TensorProto[] = []) =>
    onnx.load(model(parts({ nodes: nodes!, initializers }))).then((net) => net.forward(g.ones([2])))

  test('a shape that does not fit', async () => {
    const shape = int64s('shape', [1], [3n])
    await expect(failing([node('Reshape', ['x', 'shape'], ['y'])], [shape])).rejects.toThrow(
      /Reshape: expected a shape of 2 elements, got \[3\] \(node y \(Reshape\)\)/,
    )
  })

  test('an attribute of another type', async () => {
    await expect(failing([node('LeakyRelu', ['x'], ['y'], { alpha: 'a' })])).rejects.toThrow(
      'onnx.load: expected float, got string (attribute alpha of node y (LeakyRelu))',
    )
  })

  test('an attribute that has to be there', async () => {
    await expect(failing([node('Concat', ['x', 'x'], ['y'])])).rejects.toThrow(
      'expected int, got none (attribute axis of node y (Concat))',
    )
  })

  test('an integer beyond int32 where a tensor needs it', async () => {
    const big = int64s('big', [2], [1n, 2n ** 40n])
    const nodes = [
      node('Cast', ['x'], ['i'], { to: 7n }),
      node('Add', ['i', 'big'], ['z']),
      node('Cast', ['z'], ['y'], { to: 1n }),
    ]
    await expect(failing(nodes, [big])).rejects.toThrow(
      /within int32, which tensors have, got 1099511627776 \(node z \(Add\)\)/,
    )
  })

  test('shapes are exact beyond what doubles hold', async () => {
    const nodes = [
      node('Sub', ['big', 'one'], ['less']),
      node('Equal', ['less', 'same'], ['is']),
      node('Cast', ['is'], ['f'], { to: 1n }),
      node('Mul', ['x', 'f'], ['y']),
    ]
    const net = await onnx.load(
      model(
        parts({
          nodes,
          initializers: [int64s('big', [], [2n ** 60n + 1n]), int64s('one', [], [1n]), int64s('same', [], [2n ** 60n])],
        }),
      ),
    )
    expect(net.forward(g.ones([2])).arraySync()).toEqual([1, 1])
  })
})

describe('weights in files beside the model', () => {
  let folder = ''
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'onnx-'))
    mkdirSync(join(folder, 'model', 'inner'), { recursive: true })
    writeFileSync(join(folder, 'secret'), new Uint8Array(16))
    writeFileSync(join(folder, 'model', 'inner', 'weights'), new Uint8Array(Float32Array.of(9, 9, 1, 2).buffer))
    symlinkSync(join(folder, 'secret'), join(folder, 'model', 'link'))
    symlinkSync(folder, join(folder, 'model', 'up'))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  const external = (entries: Record<string, string>) =>
    withWeight({
      rawData: new Uint8Array(0),
      dataLocation: 1,
      externalData: Object.entries(entries).map(([key, value]) => ({
        $typeName: 'onnx.StringStringEntryProto',
        key,
        value,
      })),
    })

  async function loaded(entries: Record<string, string>): Promise<unknown> {
    const path = join(folder, 'model', 'model.onnx')
    writeFileSync(path, external(entries))
    return onnx.load(path).then(
      (net) => net.stateDict().w!.arraySync(),
      (error: unknown) => (error as Error).message,
    )
  }

  test('are read from a place in a folder of it', async () => {
    expect(await loaded({ location: 'inner/weights', offset: '8', length: '8' })).toEqual([1, 2])
    expect(await loaded({ location: 'inner/weights', offset: '8' })).toEqual([1, 2])
  })

  test.each([
    ['../secret', /expected a path within the model's folder, got "\.\.\/secret" \(external data of w in .+\)/],
    ['inner/../../secret', /expected a path within the model's folder/],
    ['/etc/passwd', /expected a path within the model's folder/],
    ['C:\\secret', /expected a path within the model's folder/],
    ['..\\secret', /expected a path within the model's folder/],
    ['', /expected a path within the model's folder/],
    ['a\0b', /expected a path within the model's folder/],
    ['link', /expected files that are no links/],
    ['up/secret', /expected files that are no links/],
    ['inner', /to be a file, got a folder/],
    ['missing', /cannot read .+missing: ENOENT/],
  ])('but not by the path %j', async (location, message) => {
    expect(await loaded({ location, length: '8' })).toMatch(message)
  })

  test.each([
    [{ offset: '16', length: '8' }, /expected bytes 16 to 24 of .+weights, got 16 bytes/],
    [{ offset: '-8' }, /expected a number of bytes as offset, got "-8"/],
    [{ offset: '8', length: '4' }, /expected 8 bytes for shape \[2\], got 4/],
    [{ offset: '99999999999999999999' }, /expected a number of bytes as offset/],
  ])('nor by %j', async (span, message) => {
    expect(await loaded({ location: 'inner/weights', ...span })).toMatch(message)
  })

  test('of a model in memory are given by name', async () => {
    const bytes = external({ location: 'w.bin' })
    const net = await onnx.load(bytes, { externalData: { 'w.bin': new Uint8Array(Float32Array.of(3, 4).buffer) } })
    expect(net.stateDict().w!.arraySync()).toEqual([3, 4])
    expect(String(await refusal(bytes))).toMatch(/expected its bytes among externalData, got none for "w\.bin"/)
  })
})

describe('what depends on data', () => {
  const bytes = model({
    inputs: [value('x', 'float', ['n'])],
    outputs: [value('y', 'float', ['m'])],
    nodes: [
      node('NonZero', ['x'], ['places']),
      node('Squeeze', ['places', 'axes'], ['flat']),
      node('Gather', ['x', 'flat'], ['y']),
    ],
    initializers: [int64s('axes', [1], [0n])],
  })

  test('is evaluated by forward, with gradients of what is computed from it', async () => {
    const net = await onnx.load(bytes)
    expect(net.forward(g.tensor([0, 2, 0, 3])).arraySync()).toEqual([2, 3])
    expect(
      g
        .grad((x) => net.forward(x).square().sum())(g.tensor([0, 2, 0, 3]))
        .arraySync(),
    ).toEqual([0, 4, 0, 6])
  })

  test('is an error inside compile, which says what', async () => {
    const net = await onnx.load(bytes)
    await expect(g.compile((x: g.Tensor) => net.forward(x))(g.tensor([0, 2]))).rejects.toThrow(
      /the size of what node places \(NonZero\) gives .+ depends on data/,
    )
  })
})
