/** Files of tensors: safetensors and checkpoints in them, arrays of numpy, files of PyTorch. */
import { extname } from 'node:path'
import { isPlainObject } from '../../base/options.ts'
import { loadNpy } from '../../files/npy.ts'
import { loadNpz } from '../../files/npz.ts'
import { open } from '../../files/safetensors.ts'
import { Tensor } from '../../tensor/tensor.ts'
import { bytesText, countText, tableOf } from '../text-table.ts'
import type { Info } from './info.ts'

interface Described {
  readonly name: string
  readonly dtype: string
  readonly shape: readonly number[]
}

const sizeOf = ({ shape }: Described): number => shape.reduce((product, extent) => product * extent, 1)

function infoOfTensors(kind: string, tensors: readonly Described[], more: Info): Info {
  const total = tensors.reduce((sum, tensor) => sum + sizeOf(tensor), 0)
  const rows = tensors.map((each) => [each.name, each.dtype, `[${each.shape.join(', ')}]`, countText(sizeOf(each))])
  return {
    lines: [
      `${kind}: ${tensors.length} tensors, ${countText(total)} numbers`,
      ...more.lines,
      ...tableOf(['name', 'dtype', 'shape', 'numbers'], rows),
    ],
    json: { kind, tensors, numbers: total, ...more.json },
  }
}

const nothing: Info = { lines: [], json: {} }
const described = (name: string, { dtype, shape }: Tensor): Described => ({ name, dtype, shape })

export async function tensorsInfo(path: string): Promise<Info> {
  const extension = extname(path).toLowerCase()
  if (extension === '.npy') return infoOfTensors('npy', [described('', await loadNpy(path))], nothing)
  if (extension === '.npz') {
    const arrays = Object.entries(await loadNpz(path))
    return infoOfTensors(
      'npz',
      arrays.map(([name, array]) => described(name, array)),
      nothing,
    )
  }
  return ['.pt', '.pth', '.bin'].includes(extension) ? infoOfTorch(path) : infoOfSafetensors(path)
}

async function infoOfTorch(path: string): Promise<Info> {
  const { load } = await import('../../torch/load.ts')
  const found: Described[] = []
  const values: string[] = []
  const visit = (value: unknown, name: string) => {
    if (value instanceof Tensor) found.push(described(name, value))
    else if (Array.isArray(value) || isPlainObject(value))
      for (const [key, each] of Object.entries(value)) visit(each, name === '' ? key : `${name}.${key}`)
    else values.push(`${name}: ${String(value)}`)
  }
  visit(await load<unknown>(path), '')
  return infoOfTensors('PyTorch', found, { lines: values, json: { values } })
}

const checkpointKey = 'galvani.checkpoint'

async function infoOfSafetensors(path: string): Promise<Info> {
  const file = await open(path)
  try {
    const { tensors, metadata } = file
    const found = Object.entries(tensors).map(([name, { dtype, shape }]) => ({ name, dtype, shape }))
    const bytes = Object.values(tensors).reduce((sum, each) => sum + each.bytes, 0)
    const { [checkpointKey]: checkpoint, ...others } = metadata
    const more = checkpoint === undefined ? nothing : infoOfCheckpoint(checkpoint)
    const lines = Object.entries(others).map(
      ([name, text]) => `${name}: ${text.length > 200 ? `${text.slice(0, 199)}…` : text}`,
    )
    return infoOfTensors(checkpoint === undefined ? 'safetensors' : 'checkpoint', found, {
      lines: [`${bytesText(bytes)} of tensors`, ...lines, ...more.lines],
      json: { bytes, metadata: others, ...more.json },
    })
  } finally {
    await file.close()
  }
}

/** How far the training was. */
function infoOfCheckpoint(text: string): Info {
  const { state = {} } = JSON.parse(text) as { state?: Record<string, unknown> }
  const { progress, epochs } = state as { progress?: Record<string, number>; epochs?: unknown[] }
  if (progress === undefined) return nothing
  const { epoch, step, totalSteps } = progress
  return {
    lines: [`after ${totalSteps} steps: ${epoch} epochs${step ? `, and ${step} steps of the next one` : ''}`],
    json: { progress: { epoch, step, totalSteps }, epochs },
  }
}
