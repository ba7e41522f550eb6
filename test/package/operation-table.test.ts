/** docs/operations.md says what the library says of itself now. */
import { expect, test } from 'vitest'
import { operationTable, writtenTable } from '../../tools/operation-table.ts'

test('the table of operations is what `npm run docs:operations` writes', () => {
  expect(writtenTable(), 'docs/operations.md is not up to date: npm run docs:operations').toBe(operationTable())
})
