/** Packages that users install themselves where they need them. */

/** A package that is needed for what was asked, and is not installed. */
export class MissingPackageError extends Error {
  override name = 'MissingPackageError'
}

/**
 * What an optional package is asked for by: `import('name').catch(missingPackage(op, 'name'))`. The import and its `catch` stand at the
 * caller, so that the compiler sees the types, and bundlers that it may be absent.
 * @throws MissingPackageError with the command that brings it, for an error that says that it is not there; else that error
 */
export const missingPackage =
  (op: string, name: string) =>
  (error: unknown): never => {
    if (!isMissing(error, name)) throw error
    throw new MissingPackageError(`${op}: expected the package ${name} to be there: npm install ${name}`, {
      cause: error,
    })
  }

/** Whether it is this package that is not found, and not one that it needs. */
function isMissing(error: unknown, name: string): boolean {
  const { code, message } = error as NodeJS.ErrnoException
  const isNotFound = code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND'
  return isNotFound && message.includes(`'${name}'`)
}
