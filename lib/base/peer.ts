/** Packages that users install themselves where they need them. */

/** A package that is needed for what was asked, and is not installed. */
export class MissingPackageError extends Error {
  override name = 'MissingPackageError'
}

/**
 * What an optional package exports, by `() => import('name')`: written out at the caller, so that bundlers and the compiler see it.
 * @throws (rejects with) MissingPackageError with the command that brings it
 */
export async function optionalPackage<T>(op: string, name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (error) {
    if (!isMissing(error, name)) throw error
    throw new MissingPackageError(`${op}: expected the package ${name} to be there: npm install ${name}`, {
      cause: error,
    })
  }
}

/** Whether it is this package that is not found, and not one that it needs. */
function isMissing(error: unknown, name: string): boolean {
  const { code, message } = error as NodeJS.ErrnoException
  const isNotFound = code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND'
  return isNotFound && message.includes(`'${name}'`)
}
