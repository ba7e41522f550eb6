/** A package that is not there is said in one line, with the command that brings it. */
import { expect, test } from 'vitest'
import { missingPackage } from '../../../lib/base/peer.ts'
import * as g from '../../../lib/index.ts'

const notFound = (name: string) =>
  Object.assign(new Error(`Cannot find package '${name}' imported from x`), { code: 'ERR_MODULE_NOT_FOUND' })

test('the package itself', async () => {
  await expect(Promise.reject(notFound('hyparquet')).catch(missingPackage('fromParquet', 'hyparquet'))).rejects.toThrow(
    new g.MissingPackageError('fromParquet: expected the package hyparquet to be there: npm install hyparquet'),
  )
  const name = 'galvani-no-such-package'
  await expect(import(/* @vite-ignore */ name).catch(missingPackage('x', name))).rejects.toThrow(g.MissingPackageError)
})

test('what it needs, and what it throws, is another matter', async () => {
  for (const error of [notFound('other'), new Error('broken')])
    await expect(Promise.reject(error).catch(missingPackage('x', 'hyparquet'))).rejects.toBe(error)
})
