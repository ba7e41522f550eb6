/** Electron refuses ArrayBuffers whose memory is an addon's own: Node-API has a define that takes away what makes them. */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Row, train, usual } from '../row.ts'

const root = fileURLToPath(new URL('../../../..', import.meta.url))
const include = ['native', 'node_modules/node-addon-api', 'node_modules/node-api-headers/include']
const defines = ['NAPI_VERSION=8', 'NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS', 'NODE_API_NO_EXTERNAL_BUFFERS_ALLOWED']
const options = [
  '-std=c++17',
  '-fsyntax-only',
  ...include.map((path) => `-I${path}`),
  ...defines.map((name) => `-D${name}`),
]

/** What knows Node-API, compiled without those functions. */
function compileBinding(): void {
  const sources = readdirSync(join(root, 'native', 'binding')).filter((name) => name.endsWith('.cc'))
  for (const source of sources) execFileSync('c++', [...options, join('native', 'binding', source)], { cwd: root })
}

/** What the addon of the package takes of Node-API, as it stands in the file. */
function refuseExternalBuffers(addon: string): void {
  const found = readFileSync(addon, 'latin1').match(/napi_create_external_(arraybuffer|buffer)/)
  if (found) throw new Error(`expected an addon without external buffers, got one with ${found[0]}`)
}

export const electron: Row = {
  title: "Electron's rule: no external ArrayBuffers",
  run(setting) {
    const installation = usual(setting)
    compileBinding()
    refuseExternalBuffers(join(installation.installed, 'prebuilds/linux-x64/galvani.node'))
    return train(installation, ['node', 'xor.cjs'])
  },
}
