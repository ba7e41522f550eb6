/** What has to be so before a version is published. Each function gives what is not, in words. */
import { type Manifest, pageOf } from './manifest.ts'
import type { Packed } from './npm.ts'
import { addonOf, targets } from './targets.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** `status` is what `git status --porcelain` prints. */
export const uncommitted = (status: string): string[] =>
  status.trim() === '' ? [] : [`expected a clean checkout, got changes:\n${status.trimEnd()}`]

/** A version is described and dated, as in `## [0.1.0] - 2026-11-30`. */
export function undescribed(changelog: string, version: string): string[] {
  const headings = changelog.match(/^## .*$/gm) ?? []
  const isOf = (heading: string) => heading.startsWith(`## [${version}] - `) && /\d{4}-\d\d-\d\d$/.test(heading)
  return headings.some(isOf)
    ? []
    : [`expected "## [${version}] - YYYY-MM-DD" in CHANGELOG.md, got ${headings.join(', ')}`]
}

const needed = [
  'CHANGELOG.md',
  'LICENSE',
  'README.md',
  'dist/third-party-licences.txt',
  'prebuilds/third-party-licences.txt',
  'sbom.cdx.json',
]

/** Of a package of another version, with the addons of some targets, as tests make it, or with something that npm compiles at an install. */
export function misassembled({ files, ...packed }: Pick<Packed, 'version' | 'files'>, version: string): string[] {
  const paths = new Set(files.map(({ path }) => path))
  const missing = [...needed, ...targets.map(addonOf)].filter((path) => !paths.has(path))
  return [
    ...(packed.version === version ? [] : [`expected a package of version ${version}, got ${packed.version}`]),
    ...missing.map((path) => `expected ${path} in the package, got none`),
    ...(paths.has('binding.gyp') ? ['expected nothing that npm compiles at an install, got binding.gyp'] : []),
  ]
}

/**
 * npm's provenance says which workflow of which public repository made a package, so only that workflow publishes: on the tag
 * of the version, in the repository that package.json names.
 */
export function unpublishable(manifest: Manifest, env: Environment): string[] {
  if (env.GITHUB_ACTIONS !== 'true' || !env.ACTIONS_ID_TOKEN_REQUEST_URL)
    return ['expected the workflow of .github/workflows/release.yml, got another place; --dry-run does all but publish']
  const page = `${env.GITHUB_SERVER_URL}/${env.GITHUB_REPOSITORY}`
  const tag = `refs/tags/v${manifest.version}`
  return [
    ...(page === pageOf(manifest)
      ? []
      : [`expected the repository that package.json names, ${pageOf(manifest)}, got ${page}`]),
    ...(env.GITHUB_REF === tag ? [] : [`expected ${tag}, got ${env.GITHUB_REF}`]),
  ]
}
