/** Which row is right for an operator in a version: the one that names the version's since-version, and no other. */
import { sinceVersions } from '../versions.ts'
import { attentions, previewAttentions } from './attention.ts'
import { control } from './control.ts'
import { convolution } from './convolution.ts'
import { elementwise } from './elementwise.ts'
import { indexing } from './indexing.ts'
import { losses } from './losses.ts'
import { microsoft } from './microsoft.ts'
import { normalization } from './normalization.ts'
import { padding } from './padding.ts'
import { pooling } from './pooling.ts'
import { products } from './products.ts'
import { microsoftQuantization, quantization } from './quantization.ts'
import { randomness } from './random.ts'
import { rearrangement } from './rearranging.ts'
import { recurrentNetworks } from './recurrent.ts'
import { reductions } from './reduce.ts'
import { resizing } from './resize.ts'
import type { Family, Row } from './row.ts'
import { sampling } from './sampling.ts'
import { shapes } from './shape.ts'
import { signals } from './signal.ts'
import { suppression } from './suppression.ts'
import { training } from './training.ts'
import { reasons } from './unsupported.ts'

/** The families of each domain. */
export const families: Readonly<Record<string, readonly Family[]>> = {
  '': [
    control,
    padding,
    elementwise,
    indexing,
    products,
    reductions,
    shapes,
    attentions,
    convolution,
    losses,
    normalization,
    pooling,
    quantization,
    randomness,
    rearrangement,
    recurrentNetworks,
    resizing,
    sampling,
    signals,
    suppression,
  ],
  'com.microsoft': [microsoft, microsoftQuantization],
  'ai.onnx.preview': [previewAttentions],
  'ai.onnx.preview.training': [training],
}

/** The main domain has a name that few files write. */
export const domainOf = (name: string): string => (name === 'ai.onnx' ? '' : name)

const rowsByDomain = new Map(Object.entries(families).map(([domain, list]) => [domain, rowsOf(list)]))

function rowsOf(list: readonly Family[]): Map<string, readonly Row[]> {
  const rows = new Map<string, readonly Row[]>()
  for (const family of list) {
    for (const [operator, given] of Object.entries(family)) {
      if (rows.has(operator)) throw new TypeError(`onnx: two families have rows of ${operator}`)
      rows.set(operator, 'since' in given ? [given] : given)
    }
  }
  return rows
}

/** The rows of an operator; none where it is not supported. */
export const rowsFor = (domain: string, operator: string): readonly Row[] =>
  rowsByDomain.get(domain)?.get(operator) ?? []

/** What an operator means in an opset: its row and since-version, or why there is none. */
export type Meaning = { readonly row: Row; readonly since: number } | { readonly reason: string }

export function meaningOf(domain: string, operator: string, opset: number): Meaning {
  const rows = rowsFor(domain, operator)
  const versions = sinceVersions[domain]
  // Domains of which no versions are known have one version of each operator.
  const since = versions === undefined ? 1 : sinceIn(versions, operator, opset)
  if (since === undefined) return { reason: `no operator of ${domain === '' ? 'ONNX' : domain} by then` }
  const row = rows.find((each) => each.since.includes(since))
  if (row !== undefined) return { row, since }
  const why = (versions === undefined ? undefined : reasons[operator]) ?? 'not supported'
  return { reason: rows.length > 0 ? `its version ${since} is not supported` : why }
}

/** The newest version up to an opset. */
function sinceIn(
  versions: Readonly<Record<string, readonly number[]>>,
  operator: string,
  opset: number,
): number | undefined {
  const own = Object.hasOwn(versions, operator) ? versions[operator]! : []
  return own.findLast((since) => since <= opset)
}
