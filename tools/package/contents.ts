/** What the package consists of, laid out in a folder: what the checkout has of it, and what is made of more than that. */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { publishedManifest } from './manifest.ts'
import { linkedIn, noticeIn, type Part, partsIn, textOf } from './notices.ts'
import { npmPack } from './npm.ts'
import { billOf } from './sbom.ts'

/** The file of an addon for each target, by the name of its folder in `prebuilds`. */
export type Addons = ReadonlyMap<string, string>

/** The headers that native/ includes of others, by package: where they are in it. */
const headers = { 'node-addon-api': '.', 'node-api-headers': 'include' }

const writeJson = (file: string, value: unknown) => writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`)

/** Lays out in `folder`, which is emptied, the package made from the checkout at `root`, where dist was built. */
export function stage(root: string, folder: string, addons: Addons): void {
  rmSync(folder, { recursive: true, force: true })
  copyListed(root, folder)
  copyHeaders(root, join(folder, 'native', 'headers'))
  copyAddons(addons, join(folder, 'prebuilds'))
  writeJson(join(folder, 'sbom.cdx.json'), billOf(root, bundledIn(root)))
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  writeJson(join(folder, 'package.json'), publishedManifest(manifest, readdirSync(folder).toSorted()))
}

/** What `files` of the checkout's package.json lists, and what npm adds to any package. */
function copyListed(root: string, folder: string): void {
  for (const { path } of npmPack(root, '--dry-run').files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    copyFileSync(join(root, path), join(folder, path))
  }
}

/** So that `galvani build` needs neither dependencies nor a network. */
function copyHeaders(root: string, folder: string): void {
  for (const [name, place] of Object.entries(headers)) {
    const from = join(root, 'node_modules', name)
    const found = readdirSync(join(from, place)).filter((file) => file.endsWith('.h'))
    mkdirSync(join(folder, name), { recursive: true })
    for (const file of found) copyFileSync(join(from, place, file), join(folder, name, file))
    writeFileSync(join(folder, name, 'LICENSE'), textOf([noticeIn(from)]))
  }
}

/** The packages of npm whose code is in dist, and those whose headers are copied. */
function bundledIn(root: string): Part[] {
  const inDist = partsIn(readFileSync(join(root, 'dist', 'third-party-licences.txt'), 'utf8'))
  return [...inDist, ...Object.keys(headers).map((name) => noticeIn(join(root, 'node_modules', name)))]
}

function copyAddons(addons: Addons, folder: string): void {
  for (const [target, file] of addons) {
    mkdirSync(join(folder, target), { recursive: true })
    copyFileSync(file, join(folder, target, 'galvani.node'))
  }
  writeFileSync(join(folder, 'third-party-licences.txt'), textOf(linkedIn()))
}
