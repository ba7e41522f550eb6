import { beforeAll, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { backends } from '../runtime/backends.ts'

/** The line of this file that the stack of an error made there names, as `file:line`. */
function here(offset = 0): string {
  const [, file, line] = /([\w-]+\.test\.ts):(\d+)/.exec(new Error().stack!.split('\n')[2]!)!
  return `${file}:${Number(line) + offset}`
}

describe.each(backends)('detectAnomaly on %s', (backend) => {
  beforeAll(() => g.setBackend(backend))

  test('names the first operation that gives a NaN, and its line', () => {
    let line = ''
    const f = () => {
      const x = g.tensor([1, -1])
      line = here(1)
      const y = x.log()
      return y.exp().add(1)
    }
    expect(() => g.detectAnomaly(f)).toThrow(g.AnomalyError)
    expect(() => g.detectAnomaly(f)).toThrow(/^detectAnomaly: log gave NaN, recorded at /)
    expect(() => g.detectAnomaly(f)).toThrow(line)
  })

  test('names the operation whose gradient gives one', () => {
    let line = ''
    const f = () => {
      const x = g.variable([0, 4])
      line = here(1)
      const y = x.sqrt()
      return g.gradients(y.mul(0).sum(), [x])
    }
    expect(() => g.detectAnomaly(f)).toThrow(
      'detectAnomaly: div gave NaN in the gradient of sqrt, which was recorded at ',
    )
    expect(() => g.detectAnomaly(f)).toThrow(line)
  })

  test('looks into compiled functions, scans and optimizer steps', async () => {
    const w = g.variable([1, 1])
    const step = g.compile((x: g.Tensor) => g.optim.sgd({ learningRate: 1 }).minimize(() => w.mul(x).sqrt().sum()))
    const bad = g.tensor([1, -1])
    expect(() => g.detectAnomaly(() => step.sync(bad))).toThrow('sqrt gave NaN')
    await expect(g.detectAnomaly(() => step(bad))).rejects.toThrow('sqrt gave NaN')
    const stacked = g.tensor([
      [1, 1],
      [1, -1],
    ])
    await expect(g.detectAnomaly(() => g.compile((x: g.Tensor) => x.sqrt()).scan(stacked))).rejects.toThrow(
      'sqrt gave NaN',
    )
    expect(w.arraySync()).toEqual([1, 1])
  })

  test('lets pass what has none, and gives what the function gives', async () => {
    const scan = g.compile((x: g.Tensor, more: number) => ({ y: x.add(more) })).scan
    expect(await g.detectAnomaly(() => scan(g.tensor([1, 2]), 1)).then(({ y }) => y.arraySync())).toEqual([2, 3])
    expect(g.detectAnomaly(() => [g.tensor([1]).div(0), 5] as const)[0].arraySync()).toEqual([Infinity])
  })

  test('is over when the function is, whichever way', async () => {
    const nan = () => g.tensor([-1]).log().arraySync()
    expect(() => g.detectAnomaly(() => g.detectAnomaly(nan))).toThrow(g.AnomalyError)
    expect(nan()).toEqual([NaN])
    await expect(g.detectAnomaly(async () => nan())).rejects.toThrow(g.AnomalyError)
    expect(nan()).toEqual([NaN])
  })

  test('knows no line of what was recorded before', () => {
    const y = g.tensor([-1]).log()
    expect(() => g.detectAnomaly(() => y.add(1))).toThrow('log gave NaN, recorded before detectAnomaly')
  })
})
