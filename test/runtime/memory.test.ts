/** What is let go of, once nobody needs it. */
import { setTimeout } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { beforeEach, describe, expect, test } from 'vitest'
import { setBackend } from '../../lib/backend/active.ts'
import type { Node } from '../../lib/graph/node.ts'
import { tensor } from '../../lib/tensor/creation.ts'
import { evaluate, nodeOf, type Tensor } from '../../lib/tensor/tensor.ts'
import { cellOf, variable } from '../../lib/tensor/variable.ts'
import { compile } from '../../lib/transforms/compile.ts'
import { customGradient } from '../../lib/transforms/custom-gradient.ts'
import { gradients } from '../../lib/transforms/gradients.ts'
import { scan } from '../../lib/transforms/scan.ts'
import { backends } from './backends.ts'

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

/**
 * Whether an object is collected, within two seconds: what is aborted stops a moment after its caller has been told.
 * `make` gives it without holding on to it.
 */
async function isReleased(make: () => object | Promise<object>): Promise<boolean> {
  const made = new WeakRef(await make())
  for (let pause = 0; pause < 63 && made.deref() !== undefined; pause++) {
    await setTimeout(pause)
    collectGarbage()
  }
  return made.deref() === undefined
}

const arrayOf = (t: Tensor): object => nodeOf(t).storage!.array

describe.each(backends)('on %s', (backend) => {
  beforeEach(() => setBackend(backend))

  test('what an evaluated value was made from', async () => {
    const y = tensor([1, 2]).add(1)
    expect(
      await isReleased(async () => {
        const x = tensor([3, 4])
        const z = x.mul(y)
        await evaluate(z, z.exp())
        return arrayOf(x)
      }),
    ).toBe(true)
    const kept = tensor([3, 4])
    const array = new WeakRef(arrayOf(kept))
    expect(await isReleased(() => kept.mul(2))).toBe(true)
    expect(array.deref()).toBe(arrayOf(kept))
  })

  test('the arguments of calls, the first ones included', async () => {
    const f = compile((x: Tensor) => x.mul(2).add(1))
    for (let i = 0; i < 2; i++) {
      expect(
        await isReleased(async () => {
          const x = tensor([i, 2])
          f.sync(x)
          await f(x)
          return arrayOf(x)
        }),
      ).toBe(true)
    }
    expect(f.sync(tensor([1, 2])).arraySync()).toEqual([3, 5])
  })

  test('the results of calls', async () => {
    const v = variable([1, 2])
    const f = compile((x: Tensor) => {
      v.assign(v.add(x))
      return v.mul(2)
    })
    expect(await isReleased(() => arrayOf(f.sync(tensor([1, 2]))))).toBe(true)
    expect(await isReleased(async () => arrayOf(await f(tensor([1, 2]))))).toBe(true)
  })

  test('the graph that compile recorded', async () => {
    const v = variable([1, 2])
    let recorded: WeakRef<Node> | undefined
    const f = compile((x: Tensor) => {
      const loss = x.mul(v).sum()
      recorded = new WeakRef(nodeOf(loss))
      const [gradient] = gradients(loss, [v])
      v.assign(v.sub(gradient))
      return loss
    })
    expect(
      await isReleased(() => {
        f.sync(tensor([1, 2]))
        return recorded!.deref()!
      }),
    ).toBe(true)
    expect(f.sync(tensor([1, 1])).itemSync()).toBe(0)
  })

  test('the arguments of compiled calls, with their results, and of a long chain of calls before it ends', async () => {
    const w = variable([0.5])
    const f = compile((x: Tensor) => x.mul(w))
    expect(
      await isReleased(() => {
        const x = tensor([1, 2])
        f.sync(x)
        return arrayOf(x)
      }),
    ).toBe(true)
    let last = tensor(new Float32Array(2 ** 18))
    expect(
      await isReleased(() => {
        const first = last
        for (let i = 0; i < 100; i++) last = f.sync(last)
        return arrayOf(first)
      }),
    ).toBe(true)
    expect(last.size).toBe(2 ** 18)
  })

  test('what a loop was given that is aborted', async () => {
    expect(
      await isReleased(async () => {
        const x = tensor([1, 2])
        const control = new AbortController()
        const [last] = scan((sum) => [sum.add(x), null], tensor([0, 0]), null, { length: 2 ** 30 })
        const settled = expect(last.data({ signal: control.signal })).rejects.toThrow()
        await setTimeout(20)
        control.abort()
        await settled
        return arrayOf(x)
      }),
    ).toBe(true)
  })

  test('the value a variable had', async () => {
    const v = variable([1, 2])
    expect(
      await isReleased(() => {
        const before = cellOf(v).storage.array
        v.assign([3, 4])
        return before
      }),
    ).toBe(true)
    const step = compile(() => v.assign(v.add(1)))
    expect(
      await isReleased(async () => {
        const before = v.value
        await step()
        return arrayOf(before)
      }),
    ).toBe(true)
    expect(v.arraySync()).toEqual([4, 5])
  })

  test('a variable, and a compiled function', async () => {
    expect(
      await isReleased(() => {
        const v = variable([1, 2])
        const f = compile(() => v.assign(v.mul(v).add(1)))
        f.sync()
        return v
      }),
    ).toBe(true)
  })

  test('the data, constants and gradient rules of a structure that is kept', async () => {
    const f = (x: Tensor, offset: Tensor, rule: () => Tensor) => customGradient((x) => x.mul(3).add(offset), rule)(x)
    for (const which of [0, 1]) {
      expect(
        await isReleased(() => {
          const [offset, scale] = [tensor([1, 2]), tensor([3, 4])]
          compile((x: Tensor) => f(x, offset, () => scale)).sync(tensor([5, 6]))
          f(tensor([5, 6]), offset, () => scale).dataSync()
          return arrayOf([offset, scale][which]!)
        }),
      ).toBe(true)
    }
  })

  test('the history of a value that is gone, although its variable lives', async () => {
    const v = variable([1, 2])
    expect(
      await isReleased(() => {
        const loss = v.square().sum()
        loss.itemSync()
        return nodeOf(gradients(loss, [v])[0])
      }),
    ).toBe(true)
    expect(v.arraySync()).toEqual([1, 2])
  })
})
