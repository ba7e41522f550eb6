/** Files of models: ONNX, Keras, TensorFlow.js. */
import { countText, tableOf } from '../text-table.ts'
import type { Info } from './info.ts'

interface Value {
  readonly name: string
  readonly dtype: string
  readonly shape: readonly unknown[] | null
}

interface AnyModel {
  parameters(): readonly { readonly size: number }[]
  stateDict(): Readonly<Record<string, { readonly dtype: string; readonly shape: readonly number[] }>>
  readonly inputs: readonly Value[]
  readonly outputs?: readonly Value[]
  readonly info?: object
}

async function loadModel(path: string): Promise<[kind: string, model: AnyModel]> {
  if (path.endsWith('.onnx'))
    return ['ONNX', (await (await import('../../onnx/load.ts')).load(path)) as unknown as AnyModel]
  if (/\.(keras|h5)$/.test(path))
    return ['Keras', (await (await import('../../keras/index.ts')).load(path)) as unknown as AnyModel]
  return ['TensorFlow.js', (await (await import('../../tfjs/index.ts')).load(path)) as unknown as AnyModel]
}

export async function modelInfo(path: string): Promise<Info> {
  const [kind, model] = await loadModel(path)
  const { inputs, outputs = [], info = {} } = model
  const parameters = model.parameters().reduce((sum, { size }) => sum + size, 0)
  const tensors = Object.entries(model.stateDict()).map(([name, { dtype, shape }]) => ({ name, dtype, shape }))
  const lineOf = (what: string, { name, dtype, shape }: Value) =>
    `${what} ${name} ${dtype}[${shape?.join(', ') ?? '…'}]`
  const facts = Object.entries(info)
    .filter(([, value]) => value !== '' && !(typeof value === 'object' && Object.keys(value ?? {}).length === 0))
    .map(([name, value]) => `${name}: ${typeof value === 'object' ? JSON.stringify(value) : value}`)
  const rows = tensors.map(({ name, dtype, shape }) => [name, dtype, `[${shape.join(', ')}]`])
  return {
    lines: [
      `${kind}: ${countText(parameters)} parameters`,
      ...inputs.map((value) => lineOf('input', value)),
      ...outputs.map((value) => lineOf('output', value)),
      ...facts,
      ...tableOf(['name', 'dtype', 'shape'], rows),
    ],
    json: { kind, parameters, inputs, outputs, info, tensors },
  }
}
