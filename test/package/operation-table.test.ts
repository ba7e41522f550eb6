/** docs/operations.md says what the library says of itself now. */
import { expect, test } from 'vitest'
import { namesElsewhere, operationTable, writtenTable } from '../../tools/operation-table.ts'

test('the table of operations is what `npm run docs:operations` writes', () => {
  expect(writtenTable(), 'docs/operations.md is not up to date: npm run docs:operations').toBe(operationTable())
})

test('the names elsewhere are tags, and an operation without any says so', () => {
  const names = (...tags: [string, string][]) => namesElsewhere('add', new Map(tags))
  expect(names(['pytorch', 'torch.add'], ['tensorflow', 'tf.add'])).toEqual({
    pytorch: 'torch.add',
    tensorflow: 'tf.add',
    numpy: '',
  })
  expect(names(['pytorch', 'none'], ['numpy', 'np.add'])).toEqual({ pytorch: '', tensorflow: '', numpy: 'np.add' })
  expect(names(['tensorflow', 'tf.add'])).toEqual({ pytorch: '', tensorflow: 'tf.add', numpy: '' })
  expect(names(['pytorch', 'none'])).toEqual({ pytorch: '', tensorflow: '', numpy: '' })
  expect(() => names(['throws', 'ShapeError'])).toThrow('@pytorch or @tensorflow in the docstring of add')
})
