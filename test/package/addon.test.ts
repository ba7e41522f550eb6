/** What the addon of this checkout asks of the system, as its file says. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { readElf } from '../support/binaries/elf.ts'

const file = fileURLToPath(new URL('../../build/Release/galvani.node', import.meta.url))

// Its libraries are those of the C library alone, as it carries its own libstdc++.
test.runIf(process.platform === 'linux')('the addon exports its entry points, and needs the C library alone', () => {
  const { exports, needs, hasExecutableStack, staysLoaded } = readElf(readFileSync(file))
  expect([...exports].sort()).toEqual(['napi_register_module_v1', 'node_api_module_get_api_version_v1'])
  expect(needs.filter((name) => !/^(lib(c|m|pthread|dl)\.|ld-)/.test(name))).toEqual([])
  expect({ hasExecutableStack, staysLoaded }).toEqual({ hasExecutableStack: false, staysLoaded: true })
})
