/**
 * prebuild.ts [TARGET...]: compiles the addon for each of these targets, or for all, into prebuilds/. What is up to date stays as
 * it is: build/prebuild/TARGET/made-of says of what an addon was made. The compiler keeps the objects of unchanged sources itself.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compileAddon } from '../../lib/cli/addon/compile.ts'
import { addonOf, type Target, targetNamed, targets } from './targets.ts'
import { findZig, type Zig } from './zig.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const buildFolderOf = ({ name }: Target): string => join(root, 'build', 'prebuild', name)
const recordOf = (target: Target): string => join(buildFolderOf(target), 'made-of')

// A folder of this checkout's alone: a build that is killed can leave an entry without its object behind.
const cache = join(root, 'build', 'zig-cache')
process.env.ZIG_GLOBAL_CACHE_DIR ??= cache

// zig checks for undefined behaviour unless told otherwise.
const compilerFor = ({ command }: Zig, { options }: Target): [string, ...string[]] => [
  ...([command, 'c++'] as const),
  ...options,
  '-fno-sanitize=all',
  '-Werror',
]

/** All that an addon is made by and of, as one hash. */
function hashOf(target: Target, zig: Zig): string {
  const hash = createHash('sha256')
  hash.update(JSON.stringify([zig.version, ...compilerFor(zig, target).slice(1)]))
  const add = (path: string) => hash.update(`\0${path}\0`).update(readFileSync(join(root, path)))
  for (const path of readdirSync(join(root, 'native'), { recursive: true, encoding: 'utf8' }).sort())
    if (/^(?!test|bench).*\.(cc|h|inc|map|txt)$/.test(path)) add(join('native', path))
  for (const name of ['node-addon-api', 'node-api-headers']) add(`node_modules/${name}/package.json`)
  add('lib/cli/addon/compile.ts')
  return hash.digest('hex')
}

const isUpToDate = (target: Target, hash: string): boolean =>
  existsSync(join(root, addonOf(target))) &&
  existsSync(recordOf(target)) &&
  readFileSync(recordOf(target), 'utf8') === hash

async function build(target: Target, zig: Zig): Promise<void> {
  const hash = hashOf(target, zig)
  if (isUpToDate(target, hash)) return console.log(`${addonOf(target)}: up to date`)
  const start = performance.now()
  const compiled = join(buildFolderOf(target), 'galvani.node')
  try {
    const compiler = compilerFor(zig, target)
    await compileAddon({ root, compiler, platform: target.platform, output: compiled, jobs: availableParallelism() })
  } catch (error) {
    const hint = `If zig missed a file of its own (FileNotFound), remove ${cache} and start again.`
    throw new Error(`prebuild: ${error instanceof Error ? error.message : error}\n${hint}`, { cause: error })
  }
  mkdirSync(dirname(join(root, addonOf(target))), { recursive: true })
  renameSync(compiled, join(root, addonOf(target)))
  writeFileSync(recordOf(target), hash)
  console.log(`${addonOf(target)}: built in ${((performance.now() - start) / 1000).toFixed(0)} s`)
}

const names = process.argv.slice(2)
try {
  const wanted = names.length === 0 ? targets : names.map(targetNamed)
  const zig = findZig()
  for (const target of wanted) await build(target, zig)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
