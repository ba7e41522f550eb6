import { inspect as nodeInspect } from 'node:util'
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { setBackend } from '../../lib/backend/active.ts'
import * as g from '../../lib/index.ts'
import { backends } from '../runtime/backends.ts'

const classes = (count: number) => g.zeros([count], { dtype: 'int32' })

/** A step of training by Adam, not compiled. */
function stepOf() {
  const model = g.nn.sequential(g.nn.linear(6, 4, { seed: 1 }), g.nn.relu(), g.nn.linear(4, 3, { seed: 2 }))
  const optimizer = g.optim.adam()
  const step = (x: g.Tensor, y: g.Tensor) => optimizer.minimize(() => g.losses.crossEntropy(model.forward(x), y))
  return { model, step }
}

describe.each(backends)('inspect on %s', (backend) => {
  beforeEach(() => setBackend(backend))

  test('gives the work of each instruction', () => {
    const f = (x: g.Tensor, w: g.Tensor, b: g.Tensor) => x.matmul(w).add(b).relu().softmax().mul(2).add(1)
    const { instructions, ...all } = g.inspect(f, g.zeros([5, 4]), g.zeros([4, 3]), g.zeros([3]))
    expect(instructions.map(({ opcode, outputs, bytes, flops }) => [opcode, outputs, bytes, flops])).toEqual([
      ['matmul', ['float32[5,3]'], 4 * (20 + 12 + 3 + 15), 2 * 5 * 4 * 3],
      ['softmax', ['float32[5,3]'], 4 * 30, 5 * 15],
      ['elementwise', ['float32[5,3]'], 4 * (30 + 2), 2 * 15],
    ])
    expect(instructions[0]!.text).toBe('%3: float32[5,3] @0 = matmul %0 %1 + %2, relu')
    expect(all.passes.find(({ pass }) => pass === 'epilogue')).toEqual({ pass: 'epilogue', before: 6, after: 4 })
    expect(all.arenaBytes).toBe(64)
    expect(all.totalBytes).toBe(64 + 4 * (20 + 12 + 3 + 15 + 2))
    expect(all.program).toContain('arena 64 bytes')
    expect(all.machine).toBeUndefined()
  })

  test('measures products of bf16 by what they may be at best', () => {
    const f = (x: g.Tensor) => g.withPrecision('bf16', () => x.matmul(x)).matmul(x)
    const { instructions } = g.inspect(f, g.zeros([256, 256]), { profile: true })
    expect(instructions.map(({ text }) => text.endsWith(', bf16'))).toEqual([true, false])
    const [bf16, float32] = instructions.map(({ limitMicroseconds }) => limitMicroseconds!)
    expect([bf16! > 0, float32! > 0, bf16 === float32]).toEqual([true, true, false])
  })

  test('sums it up, and has no times unless asked', () => {
    const report = g.inspect((x) => x.exp().sum(), g.zeros([8]))
    expect([report.bytes, report.flops]).toEqual([4 * (16 + 9), 16])
    expect([report.microseconds, report.limitMicroseconds]).toEqual([undefined, undefined])
    expect(String(report)).toMatchInlineSnapshot(`
      "   bytes  FLOPs  instruction
      0     64      8  %1: float32[8] @0 = elementwise { a = exp %0 } → a
      1     36      8  %2: float32[1] result 0 = reduce %1 { kind: sum, outer: 1, reduced: 8, inner: 1 }
           100     16  2 instructions
      memory: 100B, of which 64B arena
      instructions before and after each pass: constants 2 → 2, common 2 → 2, dead 2 → 2, epilogue 2 → 2, elementwise 2 → 2"
    `)
    expect(nodeInspect(report)).toBe(String(report))
  })

  test('rounds to three digits, up to the next unit where there are no more of this one', () => {
    // 8 bytes for each element, of which there is an operation.
    const rowOf = (elements: number) => String(g.inspect((x: g.Tensor) => x.exp(), g.zeros([elements]))).split('\n')[1]
    expect(rowOf(124_999)).toMatch(/^0 +1\.00M +125k /)
    expect(rowOf(124_936)).toMatch(/^0 +999k +125k /)
    expect(rowOf(123_449)).toMatch(/^0 +988k +123k /)
  })

  test('measures each instruction, and changes no variable', () => {
    const { model, step } = stepOf()
    const [x, y] = [g.randn([8, 6], { seed: 3 }), classes(8)]
    step(x, y)
    const before = model.parameters().map((parameter) => parameter.dataSync())
    const report = g.inspect(step, x, y, { profile: true })
    expect(model.parameters().map((parameter) => parameter.dataSync())).toEqual(before)
    for (const { microseconds, limitMicroseconds } of report.instructions) {
      expect(microseconds).toBeGreaterThanOrEqual(0)
      expect(limitMicroseconds).toBeGreaterThan(0)
    }
    expect(report.microseconds).toBeGreaterThan(0)
    expect(report.machine!.gigaflops).toBeGreaterThan(0)
    expect(report.machine!.gigabytesPerSecond).toBeGreaterThan(0)
    expect(report.machine!.bytes).toBe(2 ** 14)
    expect(String(report)).toMatch(/µs +limit +% +instruction/)
    expect(String(report)).toMatch(/limits, measured: [\d.]+ GFLOP\/s, [\d.]+ GB\/s over 16.4kB$/)
  })

  test('leaves data that is handed out alone', () => {
    const v = g.variable([1, 2])
    const held = v.value
    g.inspect((x: g.Tensor) => v.assign(v.add(x)), g.tensor(1), { profile: true })
    expect([v.arraySync(), held.arraySync()]).toEqual([
      [1, 2],
      [1, 2],
    ])
  })

  test('takes a compiled function', () => {
    const { step } = stepOf()
    const report = g.inspect(g.compile(step), g.zeros([8, 6]), classes(8), { profile: false })
    expect(report.instructions.filter(({ opcode }) => opcode === 'adam').length).toBe(4)
  })

  test('fails as a run does, where the data is wrong', () => {
    const rows = (i: g.Tensor) => g.tensor([[1], [2]]).gather(i)
    const wrong = g.tensor([2], { dtype: 'int32' })
    expect(() => g.inspect(rows, wrong)).not.toThrow()
    expect(() => g.inspect(rows, wrong, { profile: true })).toThrow('gather: expected indices in [0, 2), got 2')
  })
})

test('only the rows that are asked for count as bytes', () => {
  const table = g.tensor(new Float32Array(4000), { shape: [1000, 4] })
  const updates = g.tensor(new Float32Array(8), { shape: [2, 4] })
  const indices = g.tensor([1, 2], { dtype: 'int32' })
  const bytes = (f: () => g.Tensor) => g.inspect(f).instructions[0]!.bytes
  expect(bytes(() => table.gather(indices))).toBe(2 * 16 + 8 + 2 * 16)
  expect(bytes(() => table.scatterAdd(indices, updates))).toBe(2 * 16 + 8 + 2 * 16 + 2 * 16)
})

test('an object that holds more than profile is an argument', () => {
  const f = (options: { profile: boolean; scale: number }) => g.tensor([1]).mul(options.scale)
  expect(g.inspect(f, { profile: true, scale: 3 }).machine).toBeUndefined()
  const h = (options: { profile: boolean }) => g.tensor([1]).mul(options.profile ? 2 : 3)
  expect(g.inspect(h, { profile: true }, { profile: true }).machine).toBeDefined()
})

test('passes that are off are not listed', () => {
  vi.stubEnv('GALVANI_PASSES', '-dead,-constants')
  onTestFinished(() => {
    vi.unstubAllEnvs()
  })
  const { passes } = g.inspect((x) => x.exp(), g.zeros([2]))
  expect(passes.map(({ pass }) => pass)).toEqual(['common', 'epilogue', 'elementwise'])
})

test.each<[string, () => unknown, string]>([
  ['no function', () => g.inspect(3 as never), 'inspect: expected a function, got 3'],
  ['an async function', () => g.inspect(async () => {}), 'not async'],
  [
    'a call inside compile',
    () => g.compile((x) => String(g.inspect((y) => y, x))).sync(g.tensor(1)),
    'inspect: expected a call outside compile, got one inside',
  ],
])('%s is an error', (_, f, message) => {
  expect(f).toThrow(message)
})
