/** Writes native/binding/node_api_functions.inc: the functions of Node-API 8, as node-api-headers lists them. */
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'

const path = fileURLToPath(new URL('../native/binding/node_api_functions.inc', import.meta.url))
const { symbols } = createRequire(import.meta.url)('node-api-headers')

export const nodeApiFunctions: readonly string[] = [
  ...symbols.v8.js_native_api_symbols,
  ...symbols.v8.node_api_symbols,
].sort()

export const nodeApiText = (): string =>
  `// Written by npm run generate:node-api: the functions of Node-API 8 as GALVANI_FUNCTION(name).\n${nodeApiFunctions
    .map((name) => `GALVANI_FUNCTION(${name})\n`)
    .join('')}`

if (import.meta.url === pathToFileURL(process.argv[1]!).href) writeFileSync(path, nodeApiText())
