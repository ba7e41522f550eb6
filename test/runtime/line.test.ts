/** Runs on two backends: in the order in which they were submitted, and without a wait on the event loop. */
import { beforeEach, describe, expect, test } from 'vitest'
import { setBackend } from '../../lib/backend/active.ts'
import * as g from '../../lib/index.ts'
import { countRuns } from '../support/runs.ts'

/** The same doubles, by a window of one element: the native core has no pooling of float64. */
const byReference = (x: g.Tensor): g.Tensor => x.reshape([1, 1, 1, x.size]).maxPool2d(1).reshape(x.shape)

/** Two variables that are updated from each other, one on each backend. */
function twoBackends() {
  const narrow = g.variable([1, 2])
  const wide = g.variable([0.5, 0.25], { dtype: 'float64' })
  const onNative = g.compile((x: g.Tensor) => narrow.assign(narrow.mul(x).add(1)))
  const onReference = g.compile((x: g.Tensor) => wide.assign(byReference(wide.mul(0.5).add(x.cast('float64')))))
  return { narrow, wide, onNative, onReference }
}

type Step = 'native' | 'reference' | 'mixed'

const steps: Step[] = [
  'native',
  'reference',
  'reference',
  'native',
  'native',
  'mixed',
  'reference',
  'native',
  'mixed',
  'native',
]

const xs = steps.map((_, i) => g.tensor([i / 8, -i / 4]))

function expectedValues() {
  const { narrow, wide, onNative, onReference } = twoBackends()
  steps.forEach((step, i) => {
    if (step !== 'reference') onNative.sync(xs[i]!)
    if (step !== 'native') onReference.sync(narrow.value)
  })
  return [narrow.dataSync(), wide.dataSync()]
}

describe('two backends', () => {
  beforeEach(() => setBackend('native'))

  test('runs that nobody waits for keep their order', async () => {
    const expected = expectedValues()
    const { narrow, wide, onNative, onReference } = twoBackends()
    const counted = await countRuns(async () => {
      const calls = steps.flatMap((step, i) => [
        ...(step === 'reference' ? [] : [onNative(xs[i]!)]),
        ...(step === 'native' ? [] : [onReference(narrow.value)]),
      ])
      await Promise.all(calls)
      expect([await narrow.data(), await wide.data()]).toEqual(expected)
    })
    expect(counted).toMatchObject({ sync: 0, drained: 0 })
  })

  test('a value that is needed now is there', () => {
    const expected = expectedValues()
    const { narrow, wide, onNative, onReference } = twoBackends()
    steps.forEach((step, i) => {
      if (step !== 'reference') void onNative(xs[i]!)
      if (step !== 'native') void onReference(narrow.value)
    })
    expect([narrow.dataSync(), wide.dataSync()]).toEqual(expected)
  })

  test('synchronous calls among others keep their order, too', async () => {
    const expected = expectedValues()
    const { narrow, wide, onNative, onReference } = twoBackends()
    steps.forEach((step, i) => {
      if (step !== 'reference') i % 3 === 1 ? onNative.sync(xs[i]!) : void onNative(xs[i]!)
      if (step !== 'native') i % 4 === 1 ? onReference.sync(narrow.value) : void onReference(narrow.value)
    })
    expect([await narrow.data(), await wide.data()]).toEqual(expected)
  })

  test('a run that fails holds up nobody', async () => {
    const { narrow, wide, onNative, onReference } = twoBackends()
    const bad = byReference(g.tensor([1, 2], { dtype: 'float64' })).gather([7])
    const results = await Promise.allSettled([onNative(xs[1]!), bad.data(), onNative(xs[1]!), onReference(xs[2]!)])
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
    expect(narrow.dataSync()).toEqual(Float32Array.of(1.140625, 0.875))
    expect(wide.dataSync()).toEqual(Float64Array.of(0.5, -0.375))
  })

  test('a program that is dropped meanwhile still runs', async () => {
    const { onNative, narrow } = twoBackends()
    const wide = g.tensor([1, 2], { dtype: 'float64' })
    const first = byReference(wide.add(1)).data()
    const call = onNative(xs[1]!)
    // So many other structures that the evaluation's programs are let go of.
    for (let i = 1; i < 300; i++) void g.ones([i]).add(narrow.slice(0, 1)).data()
    expect([await first, (await call) === undefined]).toEqual([Float64Array.of(2, 3), true])
    expect(await g.ones([299]).add(narrow.slice(0, 1)).sum().item()).toBeGreaterThan(299)
  })
})
