/** What the writer writes, as a decoder of the tests' own reads it; and how it writes. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { PNG } from 'pngjs'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { isEventFile, readEvents, summaryWriter } from '../../lib/tensorboard/index.ts'
import {
  fieldsOf,
  message,
  messages,
  number,
  packedDoubles,
  packedFloats,
  recordsOf,
  text,
  valuesIn,
} from './decoder.ts'

let root = ''
let folder = ''
let count = 0
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'writer-'))
})
beforeEach(() => {
  folder = join(root, String(count++), 'run')
})
afterAll(() => rmSync(root, { recursive: true }))

const filesIn = (path: string) => readdirSync(path).filter(isEventFile).toSorted()
const bytesIn = (path: string) => filesIn(path).map((name) => readFileSync(join(path, name)))
const written = (path = folder) => bytesIn(path).flatMap(valuesIn)

/** The texts or files of a tensor of them. */
const strings = (tensor: ReturnType<typeof message>) => (tensor.get(8) ?? []) as Buffer[]

describe('what is written', () => {
  test('a file of the right name that begins with the version', async () => {
    const writer = summaryWriter(folder)
    await writer.close()
    expect(filesIn(folder)).toHaveLength(1)
    expect(filesIn(folder)[0]).toMatch(/^events\.out\.tfevents\.\d{10}\.[\w.-]+\.\d+\.\d+$/)
    expect(writer.path).toBe(join(folder, filesIn(folder)[0]!))
    const [record, ...others] = recordsOf(bytesIn(folder)[0]!)
    expect(text(fieldsOf(record!), 3)).toBe('brain.Event:2')
    expect(others).toEqual([])
  })

  test('scalars: at a step, or one after the other; several in one event', async () => {
    const writer = summaryWriter(folder)
    writer.scalar('loss', 0.1, { step: 5, time: 1234.5 })
    writer.scalar('rate', 1)
    writer.scalar('rate', Number.NaN)
    writer.scalars({ rate: 3, other: -1 })
    await writer.close()
    expect(written().map(({ step, tag, fields }) => [step, tag, number(fields, 2)])).toEqual([
      [5, 'loss', Math.fround(0.1)],
      [0, 'rate', 1],
      [1, 'rate', Number.NaN],
      [2, 'rate', 3],
      [2, 'other', -1],
    ])
    expect(written()[0]!.time).toBe(1.2345)
    expect(recordsOf(bytesIn(folder)[0]!)).toHaveLength(5)
  })

  test('a histogram, of what is finite', async () => {
    const writer = summaryWriter(folder)
    writer.histogram('w', g.tensor([-1, 0, 0.5, 1, 2.5, 3]), { bins: 4, step: 7 })
    writer.histogram('holes', g.tensor([Number.NaN, 4, 8, -Infinity]), { bins: 2 })
    writer.histogram('nothing', g.full([3], Number.NaN), { bins: 2 })
    writer.histogram('integers', g.tensor([1, 1, 2], { dtype: 'int32' }), { bins: 1 })
    await writer.close()
    const [w, holes, nothing, integers] = written().map(({ fields }) => message(fields, 5))
    const figures = (of: typeof w) => [1, 2, 3, 4, 5].map((at) => number(of!, at))
    expect(figures(w)).toEqual([-1, 3, 6, 6, 17.5])
    expect([packedDoubles(w!, 6), packedDoubles(w!, 7)]).toEqual([
      [0, 1, 2, 3],
      [1, 2, 1, 2],
    ])
    expect(figures(holes)).toEqual([4, 8, 2, 12, 80])
    expect(packedDoubles(holes!, 7)).toEqual([1, 1])
    expect([number(nothing!, 3), packedDoubles(nothing!, 7)]).toEqual([0, [0]])
    expect(figures(integers)).toEqual([1, 2, 3, 4, 6])
    expect(written()[0]!.step).toBe(7)
  })

  test('a variable is counted as it was when it was given', async () => {
    const writer = summaryWriter(folder)
    const weight = g.variable([1, 2, 3])
    writer.histogram('weight', weight)
    weight.assign(g.tensor([7, 8, 9]))
    await writer.close()
    expect(number(message(written()[0]!.fields, 5), 2)).toBe(3)
  })

  test('images of uint8, floats and any number of channels', async () => {
    const writer = summaryWriter(folder)
    writer.image('gray', g.tensor([[0, 128, 255]], { dtype: 'uint8' }))
    writer.image(
      'float',
      g.tensor([
        [
          [0, 0.5, 1, 1],
          [-1, 2, Number.NaN, 0],
        ],
      ]),
    )
    writer.image('many', g.ones([5, 2, 3, 3]), { maxImages: 2 })
    await writer.close()
    const images = written().map(({ fields, plugin }) => {
      expect(plugin).toBe('images')
      const [width, height, ...files] = strings(message(fields, 8))
      return { size: [Number(width), Number(height)], pixels: files.map((file) => [...PNG.sync.read(file).data]) }
    })
    expect(images[0]).toEqual({ size: [3, 1], pixels: [[0, 0, 0, 255, 128, 128, 128, 255, 255, 255, 255, 255]] })
    expect(images[1]).toEqual({ size: [2, 1], pixels: [[0, 128, 255, 255, 0, 255, 0, 0]] })
    expect(images[2]!.pixels).toEqual([Array(24).fill(255), Array(24).fill(255)])
  })

  test('a text', async () => {
    const writer = summaryWriter(folder)
    writer.text('notes', '**ü**', { step: 2 })
    await writer.close()
    const [value] = written()
    expect([value!.plugin, value!.step, String(strings(message(value!.fields, 8)))]).toEqual(['text', 2, '**ü**'])
  })

  test('a curve of precision and recall, by hand', async () => {
    const writer = summaryWriter(folder)
    writer.prCurve('pr', [1, 0, 1, 1, 0], [0.9, 0.6, 0.5, 0.2, Number.NaN], { thresholds: 3 })
    await writer.close()
    const [value] = written()
    expect(value!.plugin).toBe('pr_curves')
    const third = Math.fround(2 / 3)
    expect(packedFloats(message(value!.fields, 8), 5)).toEqual(
      [
        [3, 2, 0],
        [2, 1, 0],
        [0, 1, 2],
        [0, 1, 3],
        [Math.fround(0.6), third, 0],
        [1, third, 0],
      ].flat(),
    )
  })

  test('hyper-parameters and the tags of metrics', async () => {
    const writer = summaryWriter(folder)
    writer.hparams({ rate: 0.5, name: 'adam', nesterov: false }, { accuracy: 0.75 })
    await writer.close()
    const values = written()
    const contents = values.map(({ fields }) =>
      fieldsOf((message(message(fields, 9), 1).get(2)?.[0] as Buffer) ?? Buffer.alloc(0)),
    )
    const experiment = message(contents[0]!, 2)
    expect(messages(experiment, 4).map((info) => [text(info, 1), number(info, 4)])).toEqual([
      ['rate', 3],
      ['name', 1],
      ['nesterov', 2],
    ])
    expect(messages(experiment, 5).map((info) => text(message(info, 1), 2))).toEqual(['accuracy'])
    const entries = messages(message(contents[1]!, 3), 1)
    expect(entries.map((entry) => [text(entry, 1), [...message(entry, 2)]])).toEqual([
      ['rate', [[2, [0.5]]]],
      ['name', [[3, [Buffer.from('adam')]]]],
      ['nesterov', [[4, [0]]]],
    ])
    expect([values[2]!.tag, number(values[2]!.fields, 2)]).toEqual(['accuracy', 0.75])
  })

  test('the graph of a model, with its layers as scopes and the shapes of its edges', async () => {
    const writer = summaryWriter(folder)
    const model = g.nn.sequential(g.nn.linear(4, 3), g.nn.relu(), g.nn.sequential(g.nn.linear(3, 2)))
    writer.graph(model, g.zeros([8, 4]))
    expect(() => writer.graph({} as never, g.zeros([1]))).toThrow('graph: expected a model with forward and parameters')
    await writer.close()
    const graph = recordsOf(bytesIn(folder)[0]!).flatMap((record) => messages(fieldsOf(record), 4))[0]!
    const nodes = messages(graph, 1).map((node) => {
      const attributes = new Map(messages(node, 5).map((entry) => [text(entry, 1), message(entry, 2)]))
      const dims = messages(message(message(attributes.get('_output_shapes')!, 1), 7), 2)
      const inputs = (node.get(3) ?? []).map(String)
      return [text(node, 1), text(node, 2), inputs, dims.map((dim) => number(dim, 1))]
    })
    expect(nodes).toContainEqual(['input', 'Placeholder', [], [8, 4]])
    expect(nodes).toContainEqual(['0/weight', 'VariableV2', [], [3, 4]])
    const product = nodes.find(([name]) => name === '2/0/matmul')!
    expect(product[3]).toEqual([8, 2])
    const names = nodes.map(([name]) => name)
    expect(names).toEqual(expect.arrayContaining(nodes.flatMap(([, , inputs]) => inputs as string[])))
    expect(nodes.at(-1)!.slice(1)).toEqual(['Identity', [names.at(-2)], [8, 2]])
  })

  test('vectors for the projector, with labels and a sheet of images', async () => {
    const writer = summaryWriter(folder)
    const images = g.tensor(
      [0, 1, 1, 0, 1].flatMap((x) => [x, x]),
      { shape: [5, 1, 2, 1] },
    )
    await writer.embedding(
      [
        [1, 2.5],
        [3, -4],
        [5, 6],
        [0, 0],
        [0, 1],
      ],
      {
        name: 'a b',
        labels: { kind: ['x', 'tab\there', 'line\nend', 1, 2], row: [0, 1, 2, 3, 4] },
        images,
      },
    )
    await writer.embedding([[1]], { labels: ['only'] })
    await writer.close()
    const read = (path: string) => readFileSync(join(folder, path), 'utf8')
    expect(read('projector-a_b/tensors.tsv')).toBe('1\t2.5\n3\t-4\n5\t6\n0\t0\n0\t1\n')
    expect(read('projector-a_b/metadata.tsv')).toBe('kind\trow\nx\t0\ntab here\t1\nline end\t2\n1\t3\n2\t4\n')
    expect(read('projector-embedding/metadata.tsv')).toBe('only\n')
    const { width, height, data } = PNG.sync.read(readFileSync(join(folder, 'projector-a_b/sprite.png')))
    expect([width, height]).toEqual([6, 3])
    expect([...data].filter((_, i) => i % 4 === 0).map((x) => x / 255)).toEqual([
      0, 0, 1, 1, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0,
    ])
    expect(read('projector_config.pbtxt')).toContain(
      'image_path: "projector-a_b/sprite.png"\n    single_image_dim: 2\n    single_image_dim: 1\n',
    )
    expect(read('projector_config.pbtxt').match(/^embeddings/gm)).toHaveLength(2)
  })

  test('a profile as a trace of its instructions', async () => {
    const writer = summaryWriter(folder)
    const inspection = g.inspect((x: g.Tensor) => x.matmul(x).exp().sum(), g.randn([8, 8]), { profile: true })
    const path = await writer.trace(inspection)
    await writer.close()
    const { traceEvents } = JSON.parse(gunzipSync(readFileSync(path)).toString())
    const spans = traceEvents.filter(({ ph, tid }: { ph: string; tid: number }) => ph === 'X' && tid === 1)
    expect(spans.map(({ name }: { name: string }) => name)).toEqual(inspection.instructions.map(({ opcode }) => opcode))
    expect(spans.map(({ dur }: { dur: number }) => dur)).toEqual(inspection.instructions.map((x) => x.microseconds))
    expect(spans[1].ts).toBe(spans[0].dur)
    await expect(summaryWriter(folder).trace(g.inspect(() => g.ones([2])))).rejects.toThrow(
      'trace: expected what inspect gives with { profile: true }',
    )
  })
})

describe('how it is written', () => {
  test('in the order of the calls, though some are computed first', async () => {
    const writer = summaryWriter(folder)
    for (let i = 0; i < 20; i++) {
      writer.histogram('h', g.randn([100]))
      writer.scalar('s', i)
      writer.image('i', g.ones([4, 4]))
    }
    await writer.close()
    expect(written().map(({ tag }) => tag)).toEqual(Array(20).fill(['h', 's', 'i']).flat())
  })

  test('after a while without a call', async () => {
    const writer = summaryWriter(folder, { flushSeconds: 0.05 })
    writer.scalar('s', 1)
    expect(written()).toHaveLength(0)
    while (written().length === 0) await setTimeout(5)
    expect(written()).toHaveLength(1)
    await writer.close()
  })

  test('also where the event loop does not turn', async () => {
    const writer = summaryWriter(folder, { flushSeconds: 0 })
    writer.scalar('s', 1)
    const end = performance.now() + 1100
    while (performance.now() < end);
    writer.scalar('s', 2)
    expect(written()).toHaveLength(2)
    writer.scalar('s', 3)
    await writer.close()
    expect(written().map(({ step }) => step)).toEqual([0, 1, 2])
  })

  test('flush settles when all is there', async () => {
    const writer = summaryWriter(folder)
    writer.histogram('h', g.randn([1000]))
    writer.scalar('s', 1)
    await writer.flush()
    expect(written()).toHaveLength(2)
    await writer.close()
  })

  test('in another file where one is long: each whole, in the order of their names', async () => {
    const writer = summaryWriter(folder, { maxBytes: 400, flushSeconds: 0.01 })
    for (let i = 0; i < 100; i++) {
      writer.scalar('s', i)
      if (i % 10 === 0) await writer.flush()
    }
    await writer.close()
    const files = bytesIn(folder)
    expect(files.length).toBeGreaterThan(8)
    for (const file of files) {
      expect(file.length).toBeLessThanOrEqual(400)
      expect(text(fieldsOf(recordsOf(file)[0]!), 3)).toBe('brain.Event:2')
    }
    expect(written().map(({ step }) => step)).toEqual(Array.from({ length: 100 }, (_, i) => i))
  })

  test('an event that is longer than a file may be is alone in one', async () => {
    const writer = summaryWriter(folder, { maxBytes: 1 })
    writer.text('t', 'x'.repeat(100))
    writer.text('t', 'y'.repeat(100))
    await writer.close()
    expect(bytesIn(folder).map((file) => valuesIn(file).length)).toEqual([1, 1])
  })

  const child = (code: string) => {
    const index = fileURLToPath(new URL('../../lib/tensorboard/index.ts', import.meta.url))
    const text = `const { summaryWriter } = await import(${JSON.stringify(index)}); const writer = summaryWriter(${JSON.stringify(folder)}); ${code}`
    const path = `${folder}.mts`
    rmSync(path, { force: true })
    writeFileSync(join(root, `${count}.mts`), text)
    return spawn(process.execPath, ['--import', 'tsx', join(root, `${count}.mts`)], {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      stdio: ['ignore', 'pipe', 'inherit'],
    })
  }
  const ended = (process: ReturnType<typeof child>) =>
    new Promise((resolve) => process.on('exit', (_, signal) => resolve(signal)))

  test('a process that exits without close leaves everything', async () => {
    expect(await ended(child(`for (let i = 0; i < 50; i++) writer.scalar('s', i)`))).toBe(null)
    expect(written().map(({ step }) => step)).toEqual(Array.from({ length: 50 }, (_, i) => i))
  })

  test('a process that is killed leaves what was flushed, readable', async () => {
    const process = child(`
      for (let i = 0; i < 50; i++) writer.scalar('s', i)
      await writer.flush()
      console.log('flushed')
      for (let i = 0; ; i++) { writer.scalar('t', i); if (i % 50 === 0) await new Promise(setImmediate) }`)
    const exit = ended(process)
    await new Promise((resolve) => process.stdout!.once('data', resolve))
    await setTimeout(50)
    process.kill('SIGKILL')
    expect(await exit).toBe('SIGKILL')
    let scalars = 0
    for await (const { values } of readEvents(join(folder, filesIn(folder)[0]!)))
      for (const { tag } of values) if (tag === 's') scalars++
    expect(scalars).toBe(50)
  })
})

describe('what cannot be written', () => {
  test('a folder that is a file', () => {
    const path = join(root, 'file')
    writeFileSync(path, '')
    expect(() => summaryWriter(path)).toThrow(/^summaryWriter: cannot write .*EEXIST/)
  })

  test('is said at the next call, and at close', async () => {
    const writer = summaryWriter(folder, { flushSeconds: 0 })
    // A directory in the place of what is written to makes the next file impossible.
    const limited = summaryWriter(folder, { maxBytes: 1 })
    limited.scalar('s', 1)
    rmSync(folder, { recursive: true })
    writeFileSync(folder, '')
    limited.scalar('s', 2)
    await expect(limited.flush()).rejects.toMatchObject({ code: 'EEXIST' })
    expect(() => limited.scalar('s', 3)).toThrow(/^summaryWriter: cannot write/)
    await expect(limited.close()).rejects.toMatchObject({ code: 'EEXIST' })
    await writer.close()
  })

  test('a tensor that cannot be computed is said once, and the others are there', async () => {
    const writer = summaryWriter(folder)
    writer.scalar('s', 1)
    writer.histogram('h', g.gather(g.ones([3]), g.tensor([5], { dtype: 'int32' })))
    writer.scalar('s', 2)
    await expect(writer.flush()).rejects.toThrow(/gather/)
    writer.scalar('s', 3)
    await writer.close()
    expect(written().map(({ tag, step }) => [tag, step])).toEqual([
      ['s', 0],
      ['s', 1],
      ['s', 2],
    ])
  })

  test('arguments', async () => {
    const writer = summaryWriter(folder)
    expect(() => writer.scalar('', 1)).toThrow('scalar: expected a tag, got an empty text')
    writer.text('one', 'x')
    expect(() => writer.scalar('one', 1)).toThrow('scalar: expected a tag that is not of text already, got "one"')
    expect(() => writer.scalar('s', '1' as never)).toThrow('scalar: expected a number, got "1"')
    expect(() => writer.scalar('s', 1, { step: 0.5 })).toThrow('scalar: expected an integer step, got 0.5')
    expect(() => writer.scalar('s', 1, { setp: 1 } as object)).toThrow(
      'scalar: unknown option setp; did you mean step?',
    )
    expect(() => writer.image('i', g.ones([2, 2, 2]))).toThrow('image: expected pixels as')
    expect(() => writer.histogram('h', [])).toThrow('histogram: expected a tensor with elements')
    expect(() => writer.hparams({ a: [1] as never })).toThrow(
      'hparams: expected a number, a text or a truth as a, got an array',
    )
    expect(() => writer.prCurve('p', [1, 0], [1])).toThrow('prCurve: expected predictions of the shape of the labels')
    expect(() => summaryWriter(folder, { maxBytes: 0 })).toThrow(
      'summaryWriter: expected maxBytes of at least 1, got 0',
    )
    await expect(writer.embedding([1, 2])).rejects.toThrow('embedding: expected a matrix [rows, columns] with elements')
    await expect(writer.embedding([[1], [2]], { labels: ['a'] })).rejects.toThrow(
      'embedding: expected a list of 2 labels, got 1',
    )
    await writer.close()
    await writer.close()
    expect(() => writer.scalar('s', 1)).toThrow('summaryWriter: expected an open writer, got a closed one')
    expect(written().map(({ tag }) => tag)).toEqual(['one'])
  })
})
