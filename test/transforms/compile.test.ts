import { beforeEach, describe, expect, test } from 'vitest'
import { type BackendName, setBackend } from '../../lib/backend/active.ts'
import { tensor } from '../../lib/tensor/creation.ts'
import { randn, randomStream, setSeed, uniform } from '../../lib/tensor/random.ts'
import type { Tensor } from '../../lib/tensor/tensor.ts'
import { activeTrace } from '../../lib/tensor/trace.ts'
import { cellOf, variable } from '../../lib/tensor/variable.ts'
import { compile } from '../../lib/transforms/compile.ts'
import { gradients } from '../../lib/transforms/gradients.ts'
import { backends } from '../runtime/backends.ts'

const classes = (...labels: number[]) => tensor(labels, { dtype: 'int32' })

/** Counts the runs in a variable, and fails for a label outside [0, 2) only after the count was made. */
function countingStep() {
  const [count, total] = [variable(0), variable([0, 0])]
  const step = compile((logits: Tensor, labels: Tensor) => {
    count.assign(count.add(1))
    total.assign(total.add(logits.sum(0)))
    return logits.softmaxCrossEntropy(labels).mean()
  })
  return { count, total, step }
}

describe.each(backends)('compile on %s', (backend) => {
  beforeEach(() => setBackend(backend))

  describe('what freezes and what does not', () => {
    test('parameters without a type are tensors, and lists of results are tuples', () => {
      const f = compile((x, y) => [x.add(y), x.mul(y)])
      const [sum, product] = f.sync(tensor(2), tensor(3))
      expect([sum.itemSync(), product.itemSync()]).toEqual([5, 6])
    })

    test('a function is traced once for each signature', () => {
      let calls = 0
      const f = compile((x: Tensor, by: number) => {
        calls++
        return x.mul(by)
      })
      expect(f.sync(tensor([1, 2]), 2).arraySync()).toEqual([2, 4])
      expect(f.sync(tensor([3, 4]), 2).arraySync()).toEqual([6, 8])
      expect(calls).toBe(1)
      expect(f.sync(tensor([3, 4]), 3).arraySync()).toEqual([9, 12])
      expect(f.sync(tensor([3]), 2).arraySync()).toEqual([6])
      expect(f.sync(tensor([3], { dtype: 'int32' }), 2).dtype).toBe('int32')
      expect([calls, f.traces]).toEqual([4, 4])
    })

    test('a number of the surroundings is what it was at the first call', () => {
      let factor = 2
      const f = compile((x: Tensor) => x.mul(factor))
      expect(f.sync(tensor(1)).itemSync()).toBe(2)
      factor = 3
      expect(f.sync(tensor(1)).itemSync()).toBe(2)
    })

    test('a branch is the one taken at the first call', () => {
      let negate = false
      const f = compile((x: Tensor) => (negate ? x.neg() : x))
      expect(f.sync(tensor(1)).itemSync()).toBe(1)
      negate = true
      expect(f.sync(tensor(1)).itemSync()).toBe(1)
    })

    test('a tensor of the surroundings is the one of the first call', () => {
      let offset = tensor([10, 20])
      const f = compile((x: Tensor) => x.add(offset))
      expect(f.sync(tensor([1, 2])).arraySync()).toEqual([11, 22])
      offset = tensor([0, 0])
      expect(f.sync(tensor([1, 2])).arraySync()).toEqual([11, 22])
    })

    test('a lazy tensor of the surroundings is computed', () => {
      const offset = tensor([10, 20]).mul(2)
      const f = compile((x: Tensor) => x.add(offset))
      expect(f.sync(tensor([1, 2])).arraySync()).toEqual([21, 42])
      expect(f.sync(tensor([1, 2])).arraySync()).toEqual([21, 42])
    })

    test('a variable of the surroundings is read at each call', () => {
      const v = variable([1, 2])
      const f = compile((x: Tensor) => x.add(v))
      expect(f.sync(tensor(0)).arraySync()).toEqual([1, 2])
      v.assign([3, 4])
      expect(f.sync(tensor(0)).arraySync()).toEqual([3, 4])
    })

    test('a variable may be an argument, and each one is a signature', () => {
      const [v, w] = [variable(1), variable(2)]
      const f = compile((x: Tensor) => x.mul(10))
      expect([f.sync(v).itemSync(), f.sync(w).itemSync()]).toEqual([10, 20])
      v.assign(3)
      expect(f.sync(v).itemSync()).toBe(30)
      expect(f.traces).toBe(2)
    })

    test('strings that look alike are different signatures', () => {
      const f = compile((...names: string[]) => tensor(names.length))
      expect(f.sync('a,string b').itemSync()).toBe(1)
      expect(f.sync('a', 'b').itemSync()).toBe(2)
      const g = compile((x: unknown) => tensor(typeof x === 'string' ? 1 : 2))
      expect([g.sync('1').itemSync(), g.sync(1).itemSync()]).toEqual([1, 2])
      expect([g.sync('null').itemSync(), g.sync(null).itemSync(), g.sync(undefined).itemSync()]).toEqual([1, 2, 2])
    })

    test('0 and −0 are different signatures', () => {
      const f = compile((x: Tensor, by: number) => x.div(by))
      expect([f.sync(tensor(1), 0).itemSync(), f.sync(tensor(1), -0).itemSync()]).toEqual([Infinity, -Infinity])
    })

    test('an argument that cannot be told from another one is refused', () => {
      const f = compile((x: unknown) => tensor(x === null ? 0 : 1))
      for (const argument of [() => 1, new Map(), new Float32Array(1), Symbol('x')])
        expect(() => f.sync(argument)).toThrow('compile: expected arguments of tensors, plain values')
    })
  })

  describe('arguments and results', () => {
    test('results are fresh at each call', () => {
      const f = compile((x: Tensor) => x.add(1))
      const results = [1, 2, 3].map((x) => f.sync(tensor(x)))
      expect(results.map((y) => y.itemSync())).toEqual([2, 3, 4])
    })

    test('a result may be fed back', () => {
      const f = compile((x: Tensor) => x.mul(2))
      let x: Tensor = tensor(1)
      for (let i = 0; i < 10; i++) x = f.sync(x)
      expect(x.itemSync()).toBe(1024)
    })

    test('tensors may be nested in arrays and objects, in and out', () => {
      const f = compile(({ x, rest }: { x: Tensor; rest: [Tensor, { y: Tensor }] }) => {
        const [first, { y }] = rest
        return { sum: x.add(first), list: [y, [x.mul(y)]], name: 'n', none: null }
      })
      const { sum, list, ...others } = f.sync({ x: tensor(1), rest: [tensor(2), { y: tensor(3) }] })
      const [y, [product]] = list
      expect([sum, y, product].map((t) => t.itemSync())).toEqual([3, 3, 3])
      expect(others).toEqual({ name: 'n', none: null })
    })

    test('one tensor may be given twice', () => {
      const f = compile((x: Tensor, y: Tensor) => x.mul(2).add(y))
      const x = tensor([1, 2])
      expect(f.sync(x, x).arraySync()).toEqual([3, 6])
      expect(f.sync(x, tensor([10, 20])).arraySync()).toEqual([12, 24])
    })

    test('a result may be an argument, a constant, a variable or another result', () => {
      const [constant, v] = [tensor([5, 6]), variable([7, 8])]
      const f = compile((x: Tensor) => {
        const y = x.add(1)
        return [x, x.reshape([2, 1]), constant, tensor(9), v, y, y, y.reshape([2, 1])]
      })
      for (let i = 0; i < 2; i++) {
        const results = f.sync(tensor([1, 2])).map((t) => t.arraySync())
        expect(results).toEqual([[1, 2], [[1], [2]], [5, 6], 9, [7, 8], [2, 3], [2, 3], [[2], [3]]])
      }
    })

    test('a result that is an argument lives on when the variable behind it changes', () => {
      const v = variable([1, 2])
      const f = compile(() => v)
      const before = f.sync()
      v.assign([3, 4])
      expect([before.arraySync(), f.sync().arraySync()]).toEqual([
        [1, 2],
        [3, 4],
      ])
    })

    test('an argument may be lazy', async () => {
      const f = compile((x: Tensor) => x.add(1))
      expect(f.sync(tensor([1, 2]).mul(3)).arraySync()).toEqual([4, 7])
      expect((await f(tensor([1, 2]).mul(4))).arraySync()).toEqual([5, 9])
    })

    test('a function may return nothing, and take nothing', async () => {
      const v = variable(1)
      const double = compile(() => v.assign(v.mul(2)))
      expect(double.sync()).toBe(undefined)
      expect(await double()).toBe(undefined)
      expect(v.itemSync()).toBe(4)
    })

    test('tensors without elements pass through', () => {
      const f = compile((x: Tensor) => [x, x.add(1), x.sum(0)])
      const results = f.sync(tensor([], { shape: [0, 2] }))
      expect(results.map((t) => t.arraySync())).toEqual([[], [], [0, 0]])
    })

    test('gradients of arguments and of variables', () => {
      const w = variable([1, 2])
      const f = compile((x: Tensor) => gradients(x.square().mul(w).sum(), [x, w]))
      const [dx, dw] = f.sync(tensor([3, 4]))
      expect([dx.arraySync(), dw.arraySync()]).toEqual([
        [6, 16],
        [9, 16],
      ])
    })
  })

  describe('values handed out', () => {
    test('v.value keeps what it was', () => {
      const v = variable([1, 2])
      const step = compile(() => v.assign(v.add(1)))
      step.sync()
      const value = v.value
      step.sync()
      step.sync()
      expect([value.arraySync(), v.arraySync()]).toEqual([
        [2, 3],
        [4, 5],
      ])
    })

    test('what was recorded before a step uses the value of before', () => {
      const v = variable([1, 2])
      const step = compile(() => v.assign(v.add(1)))
      step.sync()
      const doubled = v.mul(2)
      step.sync()
      expect([doubled.arraySync(), v.arraySync()]).toEqual([
        [4, 6],
        [3, 4],
      ])
    })

    test('gradients recorded before a step use the value of before', () => {
      const v = variable([1, 2])
      const [dv] = gradients(v.square().sum(), [v])
      compile(() => v.assign(v.add(1))).sync()
      expect(dv.arraySync()).toEqual([2, 4])
    })

    test('variables that share a value by assign go separate ways', () => {
      const [v, w] = [variable([1, 2]), variable([0, 0])]
      w.assign(v)
      compile(() => v.assign(v.add(1))).sync()
      expect([v.arraySync(), w.arraySync()]).toEqual([
        [2, 3],
        [1, 2],
      ])
      compile(() => w.assign(w.mul(10))).sync()
      expect([v.arraySync(), w.arraySync()]).toEqual([
        [2, 3],
        [10, 20],
      ])
    })

    test('a tensor that was assigned keeps its value', () => {
      const [v, x] = [variable([1, 2]), tensor([3, 4])]
      v.assign(x)
      compile(() => v.assign(v.add(1))).sync()
      expect([v.arraySync(), x.arraySync()]).toEqual([
        [4, 5],
        [3, 4],
      ])
    })

    test('a result that was assigned keeps its value', () => {
      const v = variable([1, 2])
      const next = compile(() => v.add(1)).sync()
      v.assign(next)
      compile(() => v.assign(v.mul(2))).sync()
      expect([v.arraySync(), next.arraySync()]).toEqual([
        [4, 6],
        [2, 3],
      ])
    })

    test('data() gives the value of when it was called', async () => {
      const v = variable([1, 2])
      const step = compile(() => v.assign(v.add(1)))
      const before = v.data()
      step.sync()
      const running = step()
      const between = v.data()
      const later = [step(), step()]
      step.sync()
      expect([await before, await between].map((x) => Array.from(x))).toEqual([
        [1, 2],
        [3, 4],
      ])
      await Promise.all([running, ...later])
      expect(v.arraySync()).toEqual([6, 7])
    })

    test('reading the data of a variable does not move it to another buffer', async () => {
      const v = variable([1, 2])
      const step = compile(() => v.assign(v.add(1)))
      step.sync()
      const { array } = cellOf(v).storage
      v.dataSync()
      await v.data()
      expect(v.shape).toEqual([2])
      step.sync()
      await step()
      expect(cellOf(v).storage.array).toBe(array)
    })
  })

  describe('the order of runs', () => {
    test('several calls in flight run in the order of the calls', async () => {
      const v = variable([1])
      const step = compile((x: Tensor) => {
        v.assign(v.mul(2).add(x))
        return v
      })
      const results = await Promise.all([1, 2, 3, 4].map((x) => step(tensor([x]))))
      expect(results.map((y) => y.itemSync())).toEqual([3, 8, 19, 42])
    })

    test('a synchronous call comes after the asynchronous ones before it', async () => {
      const v = variable(1)
      const [double, increment] = [compile(() => v.assign(v.mul(2))), compile(() => v.assign(v.add(1)))]
      const running = [double(), double()]
      increment.sync()
      const last = double()
      expect(v.itemSync()).toBe(10)
      await Promise.all([...running, last])
      expect(v.itemSync()).toBe(10)
    })

    test('assign comes after the asynchronous calls before it', async () => {
      const v = variable(1)
      const double = compile(() => v.assign(v.mul(2)))
      const first = double()
      v.assign(v.add(10))
      const second = double()
      await Promise.all([first, second])
      expect(v.itemSync()).toBe(24)
    })

    test('calls whose arguments are still to be computed keep their turn', async () => {
      const v = variable([1])
      const step = compile((x: Tensor) => {
        v.assign(v.mul(2).add(x))
        return v
      })
      const results = await Promise.all([
        step(tensor([1])),
        step(tensor([1]).add(1)),
        step(tensor([3])),
        step(tensor([2]).mul(2)),
        step(tensor([5])),
      ])
      expect(results.map((y) => y.itemSync())).toEqual([3, 8, 19, 42, 89])
    })

    test('a call whose argument cannot be computed lets the next ones pass', async () => {
      const v = variable([1])
      const step = compile((x: Tensor) => v.assign(v.mul(2).add(x)))
      const bad = step(
        tensor([[1]])
          .gather(classes(7))
          .reshape([1]),
      )
      const good = step(tensor([3]))
      await expect(bad).rejects.toThrow(RangeError)
      await good
      expect(v.itemSync()).toBe(5)
    })

    test('runs on two backends keep their order', async () => {
      const v = variable([1, 2])
      const step = compile(() => v.assign(v.mul(2).add(1)))
      // A window of one element: the native core has no pooling of float64.
      const byReference = (x: Tensor) => x.reshape([1, 1, 1, x.size]).maxPool2d(1).reshape(x.shape)
      const wide = compile((x: Tensor) => byReference(x.cast('float64').div(3)).cast('float32').add(v))
      const running = [step(), wide(v), step(), wide(tensor([0, 0])), step()]
      const here = byReference(v.cast('float64').mul(2)).sum()
      expect(here.itemSync()).toBe(2 * (15 + 23))
      const [, first, , second] = await Promise.all(running)
      expect([first, second].map((x) => (x as Tensor).arraySync())).toEqual([
        [4, Math.fround(5 + 5 / 3)],
        [7, 11],
      ])
    })

    test('results of asynchronous calls may be used at once by synchronous ones', async () => {
      const v = variable([1, 2])
      const step = compile(() => v.assign(v.add(1)))
      const running = step()
      const sum = v.sum()
      expect([sum.itemSync(), v.arraySync(), v.value.arraySync()]).toEqual([5, [2, 3], [2, 3]])
      await running
    })
  })

  describe('failures', () => {
    test('an error inside the function leaves no trace behind', () => {
      const v = variable([1, 2])
      const f = compile((x: Tensor) => {
        v.assign(v.add(x))
        return x.matmul(tensor([[1, 2, 3]]))
      })
      for (let i = 0; i < 2; i++) expect(() => f.sync(tensor([1, 2]))).toThrow('matmul: inner dimensions differ')
      expect(activeTrace()).toBe(null)
      expect(v.arraySync()).toEqual([1, 2])
      expect(f.traces).toBe(0)
      const ok = compile(() => v.mul(2))
      expect(ok.sync().arraySync()).toEqual([2, 4])
    })

    test.each([
      ['an argument', (x: Tensor) => x.dataSync()],
      ['what depends on it', (x: Tensor) => x.add(1).itemSync()],
      ['random numbers', () => uniform([1]).itemSync()],
    ])('evaluating %s inside the function is refused', (_, body: (x: Tensor) => unknown) => {
      const f = compile((x: Tensor) => {
        body(x)
        return x
      })
      expect(() => f.sync(tensor([1]))).toThrow(/^evaluate: expected .*inside compile/)
    })

    test('evaluating a variable inside the function is refused', () => {
      const v = variable(1)
      expect(() => compile(() => tensor(v.itemSync())).sync()).toThrow(/^evaluate: expected .*inside compile/)
    })

    test('a value that left the function by another way has no data', () => {
      let leaked: Tensor | undefined
      compile((x: Tensor) => {
        leaked = x.add(1)
        return x
      }).sync(tensor(1))
      expect(() => leaked!.itemSync()).toThrow(/^evaluate: expected .*inside compile/)
    })

    test('what does not depend on what varies may be evaluated inside the function', () => {
      const c = tensor([1, 2])
      const f = compile((x: Tensor) => x.mul(c.sum().itemSync()))
      expect(f.sync(tensor(2)).itemSync()).toBe(6)
    })

    test('an async function is refused, and what becomes of it does not matter', async () => {
      const v = variable(1)
      const f = compile(async (x: Tensor) => {
        await null
        v.assign(x)
        return x
      })
      expect(() => f.sync(tensor(1))).toThrow('compile: expected a function that is not async')
      await expect(f(tensor(2))).rejects.toThrow('compile: expected a function that is not async')
      await new Promise((resolve) => setTimeout(resolve, 5))
      expect(v.itemSync()).toBe(1)
    })

    test('a run that fails leaves every state as it was, and the next one works', () => {
      const { count, total, step } = countingStep()
      const logits = tensor([
        [1, 2],
        [3, 4],
      ])
      step.sync(logits, classes(0, 1))
      expect(() => step.sync(logits, classes(0, 2))).toThrow(RangeError)
      expect(() => step.sync(logits, classes(0, 2))).toThrow('got 2 at row 1')
      expect([count.itemSync(), total.arraySync()]).toEqual([1, [4, 6]])
      step.sync(logits, classes(0, 1))
      expect([count.itemSync(), total.arraySync()]).toEqual([2, [8, 12]])
    })

    test('so does one among several in flight', async () => {
      const { count, total, step } = countingStep()
      const logits = tensor([
        [1, 2],
        [3, 4],
      ])
      const labels = [classes(0, 1), classes(-1, 1), classes(0, 1)]
      const outcomes = await Promise.allSettled(labels.map((label) => step(logits, label)))
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
      expect([count.itemSync(), total.arraySync()]).toEqual([2, [8, 12]])
    })

    test('and one whose values were handed out', async () => {
      const { count, total, step } = countingStep()
      const logits = tensor([
        [1, 2],
        [3, 4],
      ])
      await step(logits, classes(0, 1))
      const [before, sum] = [total.value, total.sum()]
      await expect(step(logits, classes(9, 1))).rejects.toThrow(RangeError)
      expect(() => step.sync(logits, classes(9, 1))).toThrow(RangeError)
      expect([count.itemSync(), total.arraySync(), before.arraySync(), sum.itemSync()]).toEqual([1, [4, 6], [4, 6], 10])
      await step(logits, classes(0, 1))
      expect([count.itemSync(), total.arraySync(), before.arraySync()]).toEqual([2, [8, 12], [4, 6]])
    })

    test('a run that was bound but could not be submitted changes nothing', () => {
      const v = variable([1, 2])
      const { value } = v
      const { storage } = cellOf(v)
      expect(cellOf(v).bindUpdate().written).not.toBe(storage)
      expect(cellOf(v).storage).toBe(storage)
      expect([v.arraySync(), value.arraySync()]).toEqual([
        [1, 2],
        [1, 2],
      ])
    })

    test('a function is expected', () => {
      expect(() => compile(3 as never)).toThrow('compile: expected a function, got 3')
    })
  })

  describe('scan', () => {
    /** A step with a state, a constant, a setting and random numbers. */
    const noisyStep = () => {
      const sum = variable([0, 0])
      const step = compile((x: Tensor, y: { by: Tensor }, factor: number) => {
        sum.assign(sum.add(x.mul(y.by).mul(factor)).add(uniform([2])))
        return { sum: sum.mul(1), first: x, constant: tensor([7]) }
      })
      return { sum, step }
    }
    const xs = [
      [1, 2],
      [3, 4],
      [5, 6],
    ]
    const bys = [10, 100, 1000]

    test('is the same as one call after the other', async () => {
      setSeed(5)
      const one = noisyStep()
      const expected = xs.map((x, i) => one.step.sync(tensor(x), { by: tensor(bys[i]!) }, 2))
      setSeed(5)
      const all = noisyStep()
      const { sum, first, constant } = await all.step.scan(tensor(xs), { by: tensor(bys) }, 2)
      expect(sum.arraySync()).toEqual(expected.map(({ sum }) => sum.arraySync()))
      expect(first.arraySync()).toEqual(xs)
      expect(constant.arraySync()).toEqual([[7], [7], [7]])
      expect(all.sum.dataSync()).toEqual(one.sum.dataSync())
      expect(all.step.traces).toBe(1)
    })

    test('shares its program with single calls, and takes its turn among them', async () => {
      const total = variable(0)
      const add = compile((x: Tensor) => {
        total.assign(total.mul(2).add(x))
        return total.mul(1)
      })
      const first = add(tensor(1))
      const steps = add.scan(tensor([2, 3]).add(0))
      const last = add(tensor(4))
      expect((await first).itemSync()).toBe(1)
      expect((await steps).arraySync()).toEqual([4, 11])
      expect((await last).itemSync()).toBe(26)
      expect(add.traces).toBe(1)
    })

    test('keeps a value that was handed out', async () => {
      const total = variable(1)
      const double = compile((x: Tensor) => total.assign(total.mul(x)))
      const before = total.value
      await double.scan(tensor([2, 3, 4]))
      expect([before.itemSync(), total.itemSync()]).toEqual([1, 24])
    })

    test('ends with the step that fails: those before it have taken place', async () => {
      const { count, step } = countingStep()
      const logits = tensor(new Float32Array(8), { shape: [4, 1, 2] })
      const failing = step.scan(logits, tensor([[0], [1], [2], [0]], { dtype: 'int32' }))
      await expect(failing).rejects.toThrow('softmaxCrossEntropy: expected labels in [0, 2), got 2 at row 0')
      expect(count.itemSync()).toBe(2)
    })

    test('wants tensors of as many steps', async () => {
      const add = compile((x: Tensor, y: Tensor) => x.add(y))
      await expect(add.scan(tensor([1, 2]), tensor([1, 2, 3]))).rejects.toThrow(
        'scan: expected 2 steps in every tensor',
      )
      await expect(add.scan(tensor(1), tensor(2))).rejects.toThrow('scan: expected tensors with a first axis')
      await expect(add.scan(tensor([]), tensor([]))).rejects.toThrow('scan: expected tensors with a first axis')
      await expect(compile(() => tensor(1)).scan()).rejects.toThrow('scan: expected a tensor among the arguments')
      const inner = compile((x: Tensor) => x)
      let refusal: Promise<unknown> | undefined
      compile((x: Tensor) => {
        refusal = inner.scan(x)
        return x
      }).sync(tensor([1]))
      await expect(refusal).rejects.toThrow('scan: expected a call outside compile')
    })
  })

  describe('random numbers', () => {
    test('each call draws anew', () => {
      const f = compile(() => uniform([3]))
      const [a, b] = [f.sync().arraySync(), f.sync().arraySync()]
      expect(a).not.toEqual(b)
    })

    test('a seed gives the same numbers at each call', () => {
      const f = compile(() => uniform([3], { seed: 5 }))
      const [a, b] = [f.sync().arraySync(), f.sync().arraySync()]
      expect(a).toEqual(b)
      expect(a).toEqual(uniform([3], { seed: 5 }).arraySync())
    })

    test('setSeed begins the same stream, compiled or not', () => {
      const f = compile(() => [uniform([3]), uniform([3])])
      setSeed(1)
      const compiled = [...f.sync(), ...f.sync()].map((x) => x.arraySync())
      setSeed(1)
      expect([1, 2, 3, 4].map(() => uniform([3]).arraySync())).toEqual(compiled)
    })
  })

  describe('a compiled function inside another one', () => {
    test('becomes part of it', () => {
      const v = variable(1)
      const inner = compile((x: Tensor) => {
        v.assign(v.add(x))
        return v.mul(10)
      })
      const outer = compile((x: Tensor) => inner.sync(x.mul(2)).add(1))
      expect(outer.sync(tensor(3)).itemSync()).toBe(71)
      expect(outer.sync(tensor(3)).itemSync()).toBe(131)
      expect(v.itemSync()).toBe(13)
    })

    test('without arguments, too', () => {
      const v = variable(1)
      const inner = compile(() => v.assign(v.add(1)))
      const outer = compile(() => {
        inner.sync()
        return v.mul(10)
      })
      expect([outer.sync(), outer.sync()].map((x) => x.itemSync())).toEqual([20, 30])
    })
  })
})

test('the backend may change between calls', () => {
  const v = variable([1, 2])
  const step = compile((x: Tensor) => {
    v.assign(v.add(x))
    return v.mul(2)
  })
  const results = ['reference', ...backends, 'reference'].map((backend) => {
    setBackend(backend as BackendName)
    return step.sync(tensor(1)).arraySync()
  })
  expect(results.at(-1)).toEqual([2 * (backends.length + 3), 2 * (backends.length + 4)])
  expect(step.traces).toBe(1)
})

test('random numbers of several draws are the same in one scan as in as many calls', async () => {
  const draws = () => {
    const stream = randomStream(7)
    return compile((x: Tensor) => stream.run(() => [randn([2]).add(x), uniform([2]), randn([2]).mul(x)]))
  }
  const [calls, scan] = [draws(), draws()]
  const each: unknown[][] = []
  for (let i = 0; i < 4; i++) each.push(await Promise.all((await calls(tensor(i))).map((x) => x.array())))
  const stacked = await Promise.all((await scan.scan(tensor([0, 1, 2, 3]))).map((x) => x.array()))
  expect(stacked).toEqual([0, 1, 2].map((i) => each.map((results) => results[i])))
})
