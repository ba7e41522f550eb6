/** The rows of operators against the versions of the standard: none is taken for another one. */
import { expect, test } from 'vitest'
import { families, meaningOf, rowsFor } from '../../lib/onnx/import/registry.ts'
import { reasons } from '../../lib/onnx/import/unsupported.ts'
import { newestOpset, sinceVersions } from '../../lib/onnx/versions.ts'

const leastOpset = 7

/** The versions of an operator that an opset from 7 on means. */
const meantVersions = (versions: readonly number[]): number[] =>
  versions.filter((since, i) => (versions[i + 1] ?? Infinity) > leastOpset && since <= newestOpset)

const domains = Object.keys(sinceVersions)
const operators = domains.flatMap((domain) =>
  Object.keys(sinceVersions[domain]!).map((name) => [domain, name] as const),
)

test('the newest opset is that of the specification that the rows were written by', () => expect(newestOpset).toBe(28))

test('every operator of the standard is supported in all its versions from opset 7 on, or has a reason why not', () => {
  const gaps = operators.flatMap(([domain, name]) => {
    const rows = rowsFor(domain, name)
    if (rows.length === 0) return name in reasons ? [] : [`${name}: neither rows nor a reason`]
    const known = rows.flatMap(({ since }) => since)
    return meantVersions(sinceVersions[domain]![name]!)
      .filter((since) => !known.includes(since))
      .map((since) => `${name}: no row of version ${since}`)
  })
  expect(gaps).toEqual([])
})

test('no row is of a version that there is not, and no version has two', () => {
  const faults = domains.flatMap(
    (domain) =>
      families[domain]
        ?.flatMap((family) => Object.keys(family))
        .flatMap((name) => {
          const versions = rowsFor(domain, name).flatMap(({ since }) => since)
          const official = sinceVersions[domain]![name] ?? []
          return versions
            .filter((since, i) => !official.includes(since) || versions.indexOf(since) !== i)
            .map((since) => `${name} ${since}`)
        }) ?? [],
  )
  expect(faults).toEqual([])
})

test('a reason stands for an operator of the standard that has no row', () => {
  const names = new Set(operators.map(([, name]) => name))
  expect(
    Object.keys(reasons).filter(
      (name) => !names.has(name) || domains.some((domain) => rowsFor(domain, name).length > 0),
    ),
  ).toEqual([])
})

test('an opset means the newest version up to it, and no other one stands in for it', () => {
  const since = (opset: number) => {
    const meaning = meaningOf('', 'Softmax', opset)
    return 'since' in meaning ? meaning.since : meaning.reason
  }
  expect([7, 10, 11, 12, 13, 28].map(since)).toEqual([1, 1, 11, 11, 13, 13])
  expect(meaningOf('', 'Clip', 5)).toEqual({ reason: 'its version 1 is not supported' })
  expect(meaningOf('', 'Gelu', 19)).toEqual({ reason: 'no operator of ONNX by then' })
  expect(meaningOf('', 'StringSplit', 20)).toEqual({ reason: 'it works on strings, and tensors have numbers' })
})
