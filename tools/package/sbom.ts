/** The bill of materials of the package (CycloneDX): whose code it holds beside its own. */
import { execFileSync } from 'node:child_process'
import { linkedIn, type Part } from './notices.ts'

interface Component {
  readonly 'bom-ref': string
  readonly type: string
  readonly name: string
  readonly version: string
  readonly [field: string]: unknown
}

/** What npm says of a checkout. */
interface Bill {
  readonly bomFormat: string
  readonly metadata: { readonly component: Component; readonly tools: unknown }
  readonly components: readonly Component[]
  readonly [field: string]: unknown
}

const ofCheckout = (root: string): Bill =>
  JSON.parse(
    execFileSync('npm', ['sbom', '--package-lock-only', '--sbom-format', 'cyclonedx'], { cwd: root, encoding: 'utf8' }),
  )

/** A package of npm, as npm has it: with its hash, its address and its licence. */
function packageOf({ name, version }: Part, { components }: Bill): Component {
  const found = components.find((component) => component.name === name && component.version === version)
  if (found === undefined) throw new Error(`sbom: expected ${name} ${version} in package-lock.json, got none`)
  // For the checkout it is one of many that development needs, for the package a part.
  return { ...found, scope: 'required', properties: [] }
}

const libraryOf = ({ name, version, licence }: Part): Component => ({
  'bom-ref': `${name}@${version}`,
  type: 'library',
  name,
  version,
  scope: 'required',
  licenses: [{ expression: licence }],
})

/**
 * Of the package made from the checkout at `root`, which holds these packages of npm. Without a time and a serial number, so that the same
 * sources give the same package.
 */
export function billOf(root: string, bundled: readonly Part[]): Bill {
  const { serialNumber: _, ...bill } = ofCheckout(root)
  const { component, tools } = bill.metadata
  const parts = [...bundled.map((part) => packageOf(part, bill)), ...linkedIn().map(libraryOf)]
  const self = component['bom-ref']
  const refs = parts.map((part) => part['bom-ref'])
  return {
    ...bill,
    metadata: { tools, component: { ...component, name: 'galvani' } },
    components: parts,
    dependencies: [{ ref: self, dependsOn: refs }, ...refs.map((ref) => ({ ref, dependsOn: [] }))],
  }
}
