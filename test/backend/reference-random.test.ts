import { describe, expect, test } from 'vitest'
import { createReferenceBackend } from '../../lib/backend/reference/index.ts'
import { philox } from '../../lib/backend/reference/philox.ts'
import { inverseNormal, log } from '../../lib/backend/reference/plain-math.ts'
import type { DType } from '../../lib/base/dtype.ts'
import { f32, f64, i32, runnerOf } from '../support/run.ts'
import { expectClose, ulps } from '../support/tolerance.ts'

const reference = createReferenceBackend()

const run = runnerOf(reference)

describe('random', () => {
  test.each([
    // The known answers that come with Random123, the authors' implementation.
    [
      [0, 0, 0, 0],
      [0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ])('philox of %o', (counter, [key0, key1], expected) => {
    expect(philox(counter as [number, number, number, number], key0!, key1!)).toEqual(expected)
  })

  test('uniform and normal are those of the words', () => {
    const draw = (distribution: 'uniform' | 'normal', dtype: DType) =>
      run('random', { distribution }, [i32(0, 0)], [[dtype, 4]])[0]!
    const words = [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]
    expect(draw('uniform', 'float32')).toEqual(f32(...words.map((word) => (word >>> 8) / 2 ** 24)))
    expect(draw('uniform', 'float64')).toEqual(f64(...words.map((word) => word / 2 ** 32)))
    // The inverse of the cumulative distribution at (word + ½) / 2³², by Python's statistics.NormalDist.
    const normal = [-0.2558159704329815, 1.1775912391721348, 0.6301836563560435, 0.26756224939052]
    expectClose(draw('normal', 'float64'), f64(...normal), ulps(8))
    expect(draw('normal', 'float32')).toEqual(f32(...normal))
  })

  test('the counter is the number of the block', () => {
    const key = i32(-7, 12345)
    const words = philox([3, 0, 0, 0], -7, 12345)
    const [out] = run('random', { distribution: 'uniform' }, [key], [['float64', 15]])
    expect(Array.from(out!.subarray(12))).toEqual(words.slice(0, 3).map((word) => word / 2 ** 32))
  })

  test('the normal distribution from one end to the other', () => {
    const ends = [2 ** -33, 1e-6, 0.3, 1 - 2 ** -33]
    // By Python's statistics.NormalDist.
    const expected = [-6.337957754553789, -4.753424308822899, -0.5244005127080407, 6.337957754553789]
    expectClose(Float64Array.from(ends, inverseNormal), Float64Array.from(expected), ulps(8))
  })

  test('its logarithm is one', () => {
    const x = Float64Array.from({ length: 1000 }, (_, i) => 2 ** (-33 + i / 30) + i * 1e-10)
    expectClose(x.map(log), x.map(Math.log), ulps(3))
  })
})
