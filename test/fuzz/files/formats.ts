/** The formats that the suite attacks. */
import type { Format } from './format.ts'
import { idx } from './idx.ts'
import { hdf5, kerasZip } from './keras.ts'
import { npy, npz } from './numpy.ts'
import { onnxModel } from './onnx.ts'
import { safetensors } from './safetensors.ts'
import { tensorboard } from './tensorboard.ts'
import { tfjsGraph, tfjsLayers } from './tfjs.ts'
import { torch } from './torch.ts'

export const formats: readonly Format[] = [
  hdf5,
  idx,
  kerasZip,
  npy,
  npz,
  onnxModel,
  safetensors,
  tensorboard,
  tfjsGraph,
  tfjsLayers,
  torch,
]
