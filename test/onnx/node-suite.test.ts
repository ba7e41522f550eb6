/** The public test suite of ONNX on the native backend: what is not expected to fail passes, and what is, fails. */
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { expectedFailures } from './expected-failures.ts'
import { casesIn, dataFolder, faultOf, hasData, isPromised } from './suite.ts'

/** Of the cases whose types the library computes with, so many have to pass. */
const leastShare = 0.95

interface Results {
  readonly passed: string[]
  readonly faults: ReadonlyMap<string, string>
}

async function resultsOf(suite: string): Promise<Results> {
  const faults = new Map<string, string>()
  const passed: string[] = []
  for (const name of casesIn(join(dataFolder, suite))) {
    const fault = await faultOf(join(dataFolder, suite, name))
    if (fault === undefined) passed.push(name)
    else faults.set(name, fault)
  }
  return { passed, faults }
}

// The cases are in Debian's package libonnx-testdata: `apt-get install libonnx-testdata`.
describe.skipIf(!hasData)(`the suite of ONNX in libonnx-testdata`, () => {
  describe.each(Object.entries(expectedFailures))('%s', (suite, expected) => {
    const results = resultsOf(suite)
    const isExpected = (name: string) => expected.some(({ cases }) => cases.test(name))

    test('passes but for what is expected to fail', { timeout: 300_000 }, async () => {
      const { passed, faults } = await results
      const unexpected = [...faults].filter(([name]) => !isExpected(name)).map(([name, fault]) => `${name}: ${fault}`)
      expect(unexpected).toEqual([])
      expect(passed.filter(isExpected), 'these pass and are expected to fail').toEqual([])
      const names = [...faults.keys()]
      expect(
        expected.filter(({ cases }) => !names.some((name) => cases.test(name))),
        'these expect nothing',
      ).toEqual([])
    })
  })

  test(`passes ${leastShare * 100}% of the node cases of the types that are promised`, {
    timeout: 300_000,
  }, async () => {
    const names = casesIn(join(dataFolder, 'node')).filter((name) => isPromised(join(dataFolder, 'node', name)))
    expect(names.length).toBeGreaterThan(800)
    const { passed } = await resultsOf('node')
    expect(names.filter((name) => passed.includes(name)).length / names.length).toBeGreaterThanOrEqual(leastShare)
  })
})
