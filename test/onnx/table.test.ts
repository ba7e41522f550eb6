/** docs/onnx.md says what the rows of the import say now. */
import { expect, test } from 'vitest'
import { operatorTable, writtenTable } from '../../tools/onnx-table.ts'

test('the table of operators is what `npm run docs:onnx` writes', () => {
  expect(writtenTable(), 'docs/onnx.md is not up to date: npm run docs:onnx').toBe(operatorTable())
})
