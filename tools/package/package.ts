/**
 * npm run package: brings dist and the prebuilt addons up to date, lays out the package in build/package/galvani and leaves
 * build/package/galvani-<version>.tgz, as npm would publish it. Fails where that is larger than it may be.
 */
import { execFileSync } from 'node:child_process'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command, InvalidArgumentError } from 'commander'
import { prebuiltFor, thisMachine } from '../../lib/backend/machine.ts'
import { isStale } from '../stale.ts'
import { type Addons, stage } from './contents.ts'
import { excesses, sizesOf, sizesText } from './gates.ts'
import { npmPack } from './npm.ts'
import { addonOf, type Target, targets } from './targets.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

function someTargets(list: string): Target[] {
  const names = list.split(',')
  const found = targets.filter(({ name }) => names.includes(name))
  if (found.length === names.length) return found
  throw new InvalidArgumentError(`Expected some of ${targets.map(({ name }) => name).join(', ')}, with commas between.`)
}

interface Options {
  targets: readonly Target[]
  local?: true
  out: string
}

const options = new Command('npm run package --')
  .description('Make the package that npm publishes.')
  .option(
    '--targets <list>',
    'the targets whose addons it has, with commas between; all unless given',
    someTargets,
    targets,
  )
  .option('--local', 'for tests: the one addon that this checkout has built, for this machine')
  .option('--out <folder>', 'where the package is left', join(root, 'build', 'package'))
  .parse()
  .opts<Options>()

const run = (...args: string[]) => execFileSync('npm', ['run', '--silent', ...args], { cwd: root, stdio: 'inherit' })

/** Those that are there and younger than their sources are taken as they are: a release has them from another machine. */
function prebuiltAddons(wanted: readonly Target[]): Addons {
  const missing = wanted.filter((target) => isStale(root, addonOf(target), ['native']))
  if (missing.length > 0) run('prebuild', '--', ...missing.map(({ name }) => name))
  return new Map(wanted.map((target) => [target.name, join(root, addonOf(target))]))
}

const localAddon = (): Addons => new Map([[prebuiltFor(thisMachine), join(root, 'build', 'Release', 'galvani.node')]])

const folder = resolve(options.out, 'galvani')
const addons = options.local ? localAddon() : prebuiltAddons(options.targets)
run('build:js')
stage(root, folder, addons)
const packed = npmPack(folder, '--pack-destination', resolve(options.out))
const sizes = sizesOf(packed, addons)
console.log(`${join(options.out, packed.filename)}: ${packed.files.length} files, ${[...addons.keys()].join(', ')}`)
console.log(`${sizesText(sizes)}\n${packed.integrity}`)
for (const excess of excesses(sizes)) {
  console.error(`package: ${excess}`)
  process.exitCode = 1
}
