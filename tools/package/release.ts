/**
 * npm run release: makes sure that a version is fit to be published, says what would be, and publishes it with its provenance.
 * With --dry-run, which is all that runs outside of the release workflow, it does everything but publish.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import { excesses, sizesText, wholeSize } from './gates.ts'
import { npmPack, type Packed } from './npm.ts'
import { misassembled, uncommitted, undescribed, unpublishable } from './readiness.ts'

interface Options {
  dryRun?: true
  tests: boolean
  package?: string
}

const {
  dryRun,
  tests,
  package: given,
} = new Command('npm run release --')
  .description('Publish the version that package.json and CHANGELOG.md have.')
  .option('--dry-run', 'do everything but publish')
  .option('--no-tests', 'they have passed for this commit, elsewhere')
  .option('--package <file>', 'the package, already made by npm run package; made anew unless given')
  .parse()
  .opts<Options>()

const root = fileURLToPath(new URL('../..', import.meta.url))
const read = (file: string) => readFileSync(join(root, file), 'utf8')

/** No problem, unless it fails. */
function run(file: string, ...args: string[]): [] {
  execFileSync(file, args, { cwd: root, stdio: 'inherit' })
  return []
}
const manifest = JSON.parse(read('package.json'))
const { name, version } = manifest
const tarball = resolve(given ?? join(root, 'build', 'package', `${name}-${version}.tgz`))

const packed = (): Packed => npmPack(root, tarball, '--dry-run')
const problems: string[] = []

/** What is not fit is told in the end, with all else that is not. */
function check(what: string, step: () => readonly string[]): void {
  console.log(`\n== ${what}`)
  try {
    problems.push(...step())
  } catch (error) {
    problems.push(`${what}: ${error instanceof Error ? error.message : error}`)
  }
}

const summary = (packed: Packed): string =>
  [
    `${name}@${version}: ${packed.filename}, ${packed.files.length} files`,
    sizesText(wholeSize(packed)),
    `integrity ${packed.integrity}`,
    `shasum ${packed.shasum}`,
  ].join('\n')

function end(): void {
  if (problems.length === 0) return
  console.error(`\nrelease: ${name}@${version} is not fit to be published:\n${problems.join('\n')}`)
  process.exit(1)
}

if (!dryRun) problems.push(...unpublishable(manifest, process.env))
end()
check('checkout', () => uncommitted(execFileSync('git', ['status', '--porcelain'], { cwd: root, encoding: 'utf8' })))
check('changelog', () => undescribed(read('CHANGELOG.md'), version))
if (tests) check('tests', () => run('npm', 'test'))
if (!given) check('package', () => run('npm', 'run', '--silent', 'package'))
check('contents', () => [...misassembled(packed(), version), ...excesses(wholeSize(packed()))])
check('publint', () => run('publint', 'run', '--strict', tarball))
check('types', () => run('attw', tarball))
check('install', () => run('tsx', 'tools/testing/install.ts', tarball))
end()

const publish = [
  'publish',
  tarball,
  '--provenance',
  '--access',
  'public',
  '--tag',
  version.includes('-') ? 'next' : 'latest',
]
console.log(`\n${summary(packed())}`)
if (!tests) console.log('The tests did not run here.')
if (dryRun) console.log(`Nothing was published. The workflow runs: npm ${publish.join(' ')}`)
else run('npm', ...publish)
