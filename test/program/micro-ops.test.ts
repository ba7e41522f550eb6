import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { microOps } from '../../lib/program/micro-ops.ts'

/** What the rows of C++ say of each micro-op: the names are matched when the addon is loaded, the rest is not. */
function nativeRows() {
  const source = readFileSync('native/program/micro_ops.inc', 'utf8')
  const rows = source.matchAll(/^GALVANI_MICRO_OP\((\w+), +(\d), (\w+), /gm)
  return Object.fromEntries(Array.from(rows, ([, name, arity, kind]) => [name, { arity: Number(arity), kind }]))
}

test('micro-ops have the arity and the kind of their rows in C++', () => {
  const facts = Object.entries(microOps).map(([name, { arity, kind }]) => [name, { arity, kind }])
  expect(nativeRows()).toEqual(Object.fromEntries(facts))
})
