/** That of the package, which things of the library carry: test/package/identity.test.ts holds it to package.json. */
export const version = '0.1.0'
