/** The manifest of the published package, made from the checkout's. */

/** What an entry of package.json is: the fields that are read here. */
export interface Manifest {
  readonly name: string
  readonly version: string
  readonly repository: { readonly type: string; readonly url: string }
  readonly [field: string]: unknown
}

/** Where the checkout builds, tests and is kept from being published as it is. */
const ofCheckout = ['private', 'scripts', 'devDependencies', 'gypfile', 'files']

/** The page of the repository, from the address that git has of it. */
export const pageOf = ({ repository }: Manifest): string => repository.url.replace(/^git\+/, '').replace(/\.git$/, '')

/**
 * `entries` are the files and folders at the root of the package. Nothing runs at an install, and nothing else is installed:
 * what the package needs of others it holds.
 */
export function publishedManifest(checkout: Manifest, entries: readonly string[]): Manifest {
  if (Object.keys((checkout.dependencies as object | undefined) ?? {}).length > 0)
    throw new Error('package: expected no dependencies in package.json, as the package is to hold what it needs')
  const kept = Object.entries(checkout).filter(([field]) => !ofCheckout.includes(field))
  const page = pageOf(checkout)
  return {
    ...(Object.fromEntries(kept) as Manifest),
    // What is built is: nobody imports it for what that does. Modules of lib are imported for that by each other, so the checkout does not say so.
    sideEffects: false,
    homepage: `${page}#readme`,
    bugs: `${page}/issues`,
    files: entries,
  }
}
