/** Every class of layers that has a counterpart here. */
import type { LayerSpec } from '../architecture.ts'
import type { Make } from '../layer.ts'
import { activationLayers } from './activation.ts'
import { attentionLayers } from './attention.ts'
import { convolutionLayers } from './convolution.ts'
import { denseLayers } from './dense.ts'
import { mergingLayers } from './merging.ts'
import { normalizationLayers } from './normalization.ts'
import { operationLayers } from './operations.ts'
import { poolingLayers } from './pooling.ts'
import { recurrentLayers } from './recurrent.ts'
import { regularizationLayers } from './regularization.ts'
import { shapeLayers } from './shape.ts'

/** By families, as the documentation lists them. */
export const layerFamilies = {
  dense: denseLayers,
  convolutions: convolutionLayers,
  pooling: poolingLayers,
  normalization: normalizationLayers,
  recurrent: recurrentLayers,
  attention: attentionLayers,
  activations: activationLayers,
  shapes: shapeLayers,
  merging: mergingLayers,
  regularization: regularizationLayers,
} satisfies Record<string, Record<string, Make>>

const layers: Readonly<Record<string, Make>> = Object.assign({}, ...Object.values(layerFamilies))
const operations: Readonly<Record<string, Make>> = operationLayers

/** What makes a layer, or undefined where there is none of its class. */
export function makerOf({ className, isOperation }: LayerSpec): Make | undefined {
  const table = isOperation ? operations : layers
  return Object.hasOwn(table, className) ? table[className] : undefined
}

/** The names of the operations among layers. */
export const operationNames = Object.keys(operationLayers)
