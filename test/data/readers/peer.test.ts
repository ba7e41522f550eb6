/** A package that is not there is said in one line, with the command that brings it. */
import { expect, test } from 'vitest'
import { optionalPackage } from '../../../lib/base/peer.ts'
import * as g from '../../../lib/index.ts'

const notFound = (name: string) =>
  Object.assign(new Error(`Cannot find package '${name}' imported from x`), { code: 'ERR_MODULE_NOT_FOUND' })

test('the package itself', async () => {
  const load = () => optionalPackage('fromParquet', 'hyparquet', async () => Promise.reject(notFound('hyparquet')))
  await expect(load()).rejects.toThrow(
    new g.MissingPackageError('fromParquet: expected the package hyparquet to be there: npm install hyparquet'),
  )
  const name = 'galvani-no-such-package'
  await expect(optionalPackage('x', name, () => import(/* @vite-ignore */ name))).rejects.toThrow(g.MissingPackageError)
})

test('what it needs, and what it throws, is another matter', async () => {
  for (const error of [notFound('other'), new Error('broken')])
    await expect(optionalPackage('x', 'hyparquet', async () => Promise.reject(error))).rejects.toBe(error)
  expect(await optionalPackage('x', 'hyparquet', async () => 3)).toBe(3)
})
