/** The weights of a model as they come from a file: by layer, with the shapes that the options of the layers say. */
import { formatShape } from '../base/shape.ts'
import { tensorOfBytes } from '../files/tensor-file.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { type Blueprint, type CustomBlueprint, customsIn, type LayerBlueprint, type Place } from './blueprint.ts'
import { fail, type Origin } from './config.ts'
import type { Elements } from './hdf5/hdf5.ts'

/** The values of a layer's variables in the order of its slots, or all that a custom layer has. */
export type Weights = Map<LayerBlueprint | CustomBlueprint, Tensor[]>

/** Tensors of float32, whatever floats a file has. */
export async function toTensor(origin: Origin, name: string, { shape, type, bytes }: Elements): Promise<Tensor> {
  try {
    return await tensorOfBytes(origin.op, { name, type, shape }, bytes, 'float32')
  } catch (error) {
    return fail(origin, `a shape of ${name} that a tensor has`, (error as Error).message)
  }
}

/** Gives a variable its value, where the shape is the one that the options of its layer say. */
export function put(weights: Weights, origin: Origin, { owner, slot, index }: Place, value: Tensor): void {
  const { shape } = slot
  const fits = (extent: number | null, i: number) => extent === null || extent === value.shape[i]
  if (shape !== null && !(shape.length === value.shape.length && shape.every(fits)))
    fail(
      origin,
      `${slot.name} of the layer ${owner.spec.name} of shape [${shape.map((extent) => extent ?? '…').join(', ')}]`,
      formatShape(value.shape),
    )
  const own = weights.get(owner) ?? []
  own[index] = value
  weights.set(owner, own)
}

/**
 * Values in order to places in order; where a single custom layer is among them, it has those that are left.
 * @throws DataFormatError for another number of values
 */
export function putAll(
  weights: Weights,
  origin: Origin,
  name: string,
  places: readonly Place[],
  values: readonly Tensor[],
  blueprint: Blueprint,
): void {
  const customs = customsIn(blueprint)
  if (blueprint.kind === 'custom') weights.set(blueprint, [...values])
  else if (customs.length > 0)
    fail(origin, 'custom layers that are no part of other ones in a file of this kind', customs[0]!.spec.name)
  else if (values.length !== places.length)
    fail(origin, `${places.length} weights of the layer ${name}`, String(values.length))
  else for (const [i, place] of places.entries()) put(weights, origin, place, values[i]!)
}
