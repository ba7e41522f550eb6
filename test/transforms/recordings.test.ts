/** A compiled function keeps a bounded number of recordings, and says where it makes new ones all the time. */
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { activeBackend, setBackend } from '../../lib/backend/active.ts'
import { tensor, zeros } from '../../lib/tensor/creation.ts'
import { setSeed, uniform } from '../../lib/tensor/random.ts'
import type { Tensor } from '../../lib/tensor/tensor.ts'
import { guard } from '../../lib/tensor/trace.ts'
import { variable } from '../../lib/tensor/variable.ts'
import { compile } from '../../lib/transforms/compile.ts'
import { gradients } from '../../lib/transforms/gradients.ts'
import { mostRecordings } from '../../lib/transforms/recordings.ts'
import { backends } from '../runtime/backends.ts'

/** Counts what the backend prepares, and what of it is disposed of, from now on. */
function countExecutables() {
  const counts = { prepared: 0, disposed: 0 }
  const backend = activeBackend()
  const prepare = backend.prepare.bind(backend)
  const spy = vi.spyOn(backend, 'prepare').mockImplementation((program) => {
    counts.prepared++
    const executable = prepare(program)
    const dispose = executable.dispose.bind(executable)
    executable.dispose = () => {
      counts.disposed++
      dispose()
    }
    return executable
  })
  onTestFinished(() => spy.mockRestore())
  return counts
}

/** The warnings from now on. */
function collectWarnings(): string[] {
  const warnings: string[] = []
  const spy = vi.spyOn(process, 'emitWarning').mockImplementation((message, options) => {
    warnings.push(`${(options as { code: string }).code}: ${message}`)
  })
  onTestFinished(() => spy.mockRestore())
  return warnings
}

describe.each(backends)('on %s', (backend) => {
  beforeEach(() => setBackend(backend))

  test('a number that is always another one has few recordings, and one or two programs', () => {
    const counts = countExecutables()
    collectWarnings()
    let calls = 0
    const f = compile((x: Tensor, n: number) => {
      calls++
      return x.mul(n).add(1)
    })
    for (let i = 0; i < 1000; i++) expect(f.sync(tensor([2]), i + 0.5).itemSync()).toBe(2 * i + 2)
    expect([calls, f.traces]).toEqual([1000, mostRecordings])
    expect(counts.prepared - counts.disposed).toBe(1)
    expect(counts.prepared).toBe(2)
  })

  test('shapes that are always other ones have few recordings and few programs', () => {
    collectWarnings()
    const counts = countExecutables()
    const f = compile((x: Tensor) => x.mul(2).sum())
    for (let i = 1; i <= 600; i++) expect(f.sync(tensor(new Float32Array(i).fill(1))).itemSync()).toBe(2 * i)
    expect([f.traces, counts.prepared]).toEqual([mostRecordings, 600])
    expect(counts.prepared - counts.disposed).toBe(mostRecordings)
    expect(f.sync(zeros([600])).itemSync()).toBe(0)
  })

  test('the one that was used longest ago goes first', () => {
    let calls = 0
    const f = compile((x: Tensor, n: number) => {
      calls++
      return x.mul(n)
    })
    const x = tensor([1])
    for (let i = 0; i < mostRecordings; i++) f.sync(x, i)
    f.sync(x, 0)
    f.sync(x, mostRecordings)
    expect([calls, f.traces]).toEqual([mostRecordings + 1, mostRecordings])
    f.sync(x, 0)
    expect(calls).toBe(mostRecordings + 1)
    expect([f.sync(x, 1).itemSync(), calls]).toEqual([1, mostRecordings + 2])
  })

  test('recordings that differ in their guards count, too', () => {
    collectWarnings()
    let mode = 0
    const f = compile((x: Tensor) => x.mul(guard(() => mode)))
    for (; mode < 300; mode++) expect(f.sync(tensor([2])).itemSync()).toBe(2 * mode)
    expect(f.traces).toBe(mostRecordings)
  })

  test('a recording may be dropped while calls of it wait, or run', async () => {
    collectWarnings()
    const f = compile((x: Tensor, n: number) => x.leakyRelu(n))
    const waiting = f(tensor([-2]).mul(3), 0.5)
    const running = f(tensor([-4]), 0.25)
    for (let i = 0; i < 300; i++) f.sync(tensor([1]), i + 2)
    expect([(await waiting).itemSync(), (await running).itemSync()]).toEqual([-3, -1])
  })

  describe('another number', () => {
    test('takes its own branch', () => {
      const f = compile((x: Tensor, n: number) => (n > 2 ? x.mul(n) : x.sub(n)))
      const expected = (n: number) => (n > 2 ? 10 * n : 10 - n)
      for (let n = 0; n < 5; n += 0.5) expect(f.sync(tensor(10), n).itemSync()).toBe(expected(n))
    })

    test('has gradients of its own through its results', () => {
      const w = variable([1, 2])
      const f = compile((x: Tensor, n: number) => x.mul(w).mul(n).square())
      const results = [1, 2, 3, 4].map((n) => f.sync(tensor([1, 1]), n))
      const found = results.map((y) => gradients(y.sum(), [w])[0].arraySync())
      expect(found).toEqual([1, 2, 3, 4].map((n) => [2 * n * n, 4 * n * n]))
    })

    test('has gradients of its own when its recording is gone, and with what was drawn for it', () => {
      collectWarnings()
      const w = variable([1, 1, 1])
      const f = compile((n: number) => uniform([3]).mul(n).mul(w))
      const results = Array.from({ length: 2 * mostRecordings }, (_, n) => f.sync(n))
      for (const y of [results[1]!, results[2]!, results.at(-1)!])
        expect(gradients(y.sum(), [w])[0].arraySync()).toEqual(y.arraySync())
    })

    test('has gradients of its own inside', () => {
      const w = variable([1, 2])
      const f = compile((n: number) => gradients(w.pow(n).sum(), [w])[0])
      expect([1, 2, 3, 4].map((n) => f.sync(n).arraySync())).toEqual([
        [1, 1],
        [2, 4],
        [3, 12],
        [4, 32],
      ])
    })

    test('updates variables, each function its own', () => {
      const [v, w] = [variable([1]), variable([1])]
      const [f, g] = [v, w].map((variable) => compile((n: number) => variable.assign(variable.mul(n).add(1))))
      for (let n = 1; n <= 4; n++) f!.sync(n)
      expect([v.itemSync(), w.itemSync()]).toEqual([65, 1])
      for (let n = 1; n <= 3; n++) g!.sync(n)
      expect([v.itemSync(), w.itemSync()]).toEqual([65, 16])
    })

    test('is no update where the value is a result', () => {
      const v = variable([3])
      const update = compile((n: number) => v.assign(v.mul(n)))
      const result = compile((n: number) => v.mul(n))
      for (const n of [2, 3]) expect([result.sync(n).itemSync(), v.itemSync()]).toEqual([3 * n, 3])
      update.sync(2)
      update.sync(5)
      expect([v.itemSync(), result.sync(4).itemSync(), v.itemSync()]).toEqual([30, 120, 30])
    })

    test('goes with random numbers that are drawn at each call', () => {
      const f = compile((n: number) => uniform([3]).mul(n))
      const draw = (numbers: readonly number[]) => {
        setSeed(5)
        return numbers.map((n) => f.sync(n).arraySync())
      }
      const [first, second, third] = draw([1, 1, 1]) as number[][]
      expect(draw([1, 2, 4])).toEqual([first, second!.map((x) => 2 * x), third!.map((x) => 4 * x)])
    })

    test('is the same at all steps of a scan', async () => {
      const total = variable([0])
      const f = compile((x: Tensor, n: number) => {
        total.assign(total.add(x.mul(n)))
        return total
      })
      for (const n of [2, 3, 4]) {
        total.assign([0])
        const steps = await f.scan(tensor([[1], [2], [3]]), n)
        expect(steps.arraySync()).toEqual([[n], [3 * n], [6 * n]])
      }
    })
  })
})

describe('a warning', () => {
  const message =
    'GALVANI_MANY_SIGNATURES: galvani: the compiled function scale was recorded for 129 signatures in 129 calls, and keeps the last 128: pass a number that changes as a tensor, and pad or batch what differs in shape to a few fixed shapes'

  beforeEach(() => setBackend('reference'))

  test('comes once where each call has a new number', () => {
    const warnings = collectWarnings()
    const f = compile(function scale(x: Tensor, n: number) {
      return x.mul(n)
    })
    for (let n = 0; n < 128; n++) f.sync(tensor([1]), n)
    expect(warnings).toEqual([])
    for (let n = 128; n < 1000; n++) f.sync(tensor([1]), n)
    expect(warnings).toEqual([message])
  })

  test('comes for each function by itself, where shapes return too late', () => {
    const warnings = collectWarnings()
    const shapes = Array.from({ length: 150 }, (_, i) => zeros([i]))
    for (let i = 0; i < 2; i++) {
      const f = compile((x: Tensor) => x.mul(2))
      for (let epoch = 0; epoch < 4; epoch++) for (const x of shapes) f.sync(x)
    }
    expect(warnings).toEqual(Array(2).fill(message.replace(' scale', '')))
  })

  test('does not come where new signatures are rare', () => {
    const warnings = collectWarnings()
    const f = compile((x: Tensor, n: number) => x.mul(n))
    for (let n = 0; n < 400; n++) for (let i = 0; i < 10; i++) f.sync(tensor([1]), n)
    expect([warnings, f.traces]).toEqual([[], mostRecordings])
  })
})
