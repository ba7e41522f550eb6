/** The package managers, runtimes, bundlers and test runners that toolbox/package.json pins. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('toolbox/node_modules', import.meta.url))

/** A file of one of them. */
export const tool = (path: string): string => join(folder, path)

export const versionOf = (name: string): string =>
  JSON.parse(readFileSync(tool(join(name, 'package.json')), 'utf8')).version

export const toolbox = {
  installer: 'npm ci --prefix',
  package: 'tools/testing/install-matrix/toolbox',
  isHere: () => existsSync(tool('.package-lock.json')),
}

/** A Node, by the name of its package. */
export const node = (name: string): string => tool(`${name}/bin/node`)
export const bun = tool('@oven/bun-linux-x64/bin/bun')
export const deno = tool('@deno/linux-x64-glibc/deno')
