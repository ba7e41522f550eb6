/** Models and functions as files of ONNX. */

import { basename } from 'node:path'
import type { MessageInitShape } from '@bufbuild/protobuf'
import { checkFunction, checkInteger, checkList, checkText, describe } from '../../base/arguments.ts'
import { expected } from '../../base/errors.ts'
import { checkOptions, checkRecord, type OptionTypes } from '../../base/options.ts'
import { version } from '../../base/version.ts'
import { writeAtomically } from '../../files/atomic.ts'
import { checkPath } from '../../files/file-error.ts'
import { type AnyModule, Module } from '../../nn/module.ts'
import { create, encodeModel } from '../wire/messages.ts'
import { type GraphProtoSchema, ModelProtoSchema } from '../wire/onnx_pb.ts'
import { opsets } from './builder.ts'
import { externalize, sizeOfTensors } from './external.ts'
import { graphOf } from './model.ts'
import type { Exportable } from './recording.ts'

export type { Exportable }

export interface ExportOptions {
  /** The operator set, from 13 to 23; 17 unless given. Some operations want a later one, and say so. */
  opset?: number
  /**
   * Whether the first dimension of the examples stands for any number of rows, as `batch`: of every tensor among them whose first
   * extent is that of the first one. True unless given.
   */
  dynamicBatch?: boolean
  /** The names of the inputs, in the order of the tensors among the examples; `input`, or the keys of an object, unless given. */
  inputNames?: readonly string[]
  /** The names of the outputs; `output`, or the keys of the object that is returned, unless given. */
  outputNames?: readonly string[]
  /** The module whose names parameters have where a function is exported that calls it; the model itself unless given. */
  parametersOf?: AnyModule
  /** What else the file is to say of the model: `metadata_props`. */
  metadata?: Readonly<Record<string, string>>
  /**
   * From how many bytes of parameters on these go to a file of their own beside the model, named after it with `.data` at the end;
   * 2 GB less a little unless given, which is what one file of ONNX holds.
   */
  externalDataFrom?: number
}

const exportOptions: OptionTypes<ExportOptions> = {
  ...{ opset: 'number', dynamicBatch: 'boolean', inputNames: 'other', outputNames: 'other', metadata: 'other' },
  ...{ parametersOf: 'other', externalDataFrom: 'number' },
}

/** What protobuf reads, less what a model has besides its parameters. */
const mostInside = 2 ** 31 - 2 ** 24

/** The version of the format that came with an operator set. */
const irVersions = [
  [23, 11],
  [21, 10],
  [19, 9],
  [15, 8],
  [13, 7],
] as const

/**
 * Writes a model or function as a file of ONNX, or gives its bytes where there is no path: what it computes for arguments like the
 * examples, which are recorded and not computed. A model is in evaluation mode meanwhile: dropout is gone, and batch normalization
 * goes by its running statistics. Its parameters are initializers under the names of `stateDict()`. What was at the path before is
 * replaced by the whole new file or stays.
 *
 * @param model a module, or a function that `compile` takes or gave
 * @param examples a tensor, or what else the one argument is; an array of several arguments. Their numbers do not matter.
 * @param path of the file, mostly `model.onnx`
 * @throws (rejects with) TypeError for operations that ONNX does not have, all of them with the reason, and for a function that
 * assigns variables; RangeError for what depends on the size of the batch in a way that ONNX does not express, for an operation
 * that wants a later `opset`, and for parameters of 2 GB or more without a path; an Error of the file system
 *
 * @example
 * await onnx.export(model, g.zeros([1, 3, 224, 224]), 'model.onnx', { opset: 17, dynamicBatch: true })
 * @pytorch torch.onnx.export
 */
export function exportModel(
  model: Exportable,
  examples: unknown,
  path: string,
  options?: ExportOptions,
  ...surplus: []
): Promise<void>
export function exportModel(
  model: Exportable,
  examples: unknown,
  options?: ExportOptions,
  ...surplus: []
): Promise<Uint8Array>
export async function exportModel(model: Exportable, examples: unknown, ...rest: readonly unknown[]): Promise<unknown> {
  const [path, given, ...surplus] = typeof rest[0] === 'string' ? rest : [null, ...rest]
  const options = checkOptions('export', given as ExportOptions | undefined, exportOptions, surplus)
  const { dynamicBatch = true, externalDataFrom = mostInside } = options
  const target = path === null ? null : checkPath('export', path)
  const opset = checkInteger('export', 'an opset', options.opset ?? 17, opsets.first, opsets.last)
  const metadata = checkMetadata(options.metadata ?? {})
  checkInteger('export', 'a number of bytes as externalDataFrom', externalDataFrom, 0, mostInside)
  if (!(model instanceof Module)) checkFunction('export', 'a module or a function', model)
  const parametersOf = options.parametersOf ?? (model instanceof Module ? model : undefined)
  if (parametersOf !== undefined && !(parametersOf instanceof Module))
    throw new TypeError(expected('export', 'a module as parametersOf', describe(parametersOf)))
  const names = { inputNames: checkNames('inputNames', options), outputNames: checkNames('outputNames', options) }
  const graph = await graphOf('export', model, examples, { opset, dynamicBatch, parametersOf, ...names })
  if (sizeOfTensors(graph) < externalDataFrom) {
    const bytes = bytesOfModel(graph, opset, metadata)
    if (target === null) return bytes
    return writeAtomically('export', target, chunks([bytes]))
  }
  if (target === null)
    throw new RangeError(expected('export', `a path for parameters of ${externalDataFrom} bytes or more`, 'none'))
  const { tensors, data } = externalize(graph.initializer, `${basename(target)}.data`)
  await writeAtomically('export', `${target}.data`, chunks(data))
  return writeAtomically('export', target, chunks([bytesOfModel({ ...graph, initializer: tensors }, opset, metadata)]))
}

async function* chunks(parts: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* parts
}

function checkNames(name: 'inputNames' | 'outputNames', options: ExportOptions): readonly string[] | undefined {
  const given = options[name]
  if (given === undefined) return undefined
  return checkList('export', `a list of ${name}`, given).map((text) =>
    checkText('export', `a text among ${name}`, text),
  )
}

function checkMetadata(metadata: Readonly<Record<string, string>>): [key: string, value: string][] {
  const entries = Object.entries(checkRecord('export', 'metadata by name', metadata))
  for (const [key, value] of entries) checkText('export', `a text as ${key}`, value)
  return entries
}

function bytesOfModel(
  graph: MessageInitShape<typeof GraphProtoSchema>,
  opset: number,
  metadata: readonly [string, string][],
) {
  const [, ir = 0] = irVersions.find(([first]) => opset >= first) ?? []
  const model = create(ModelProtoSchema, {
    irVersion: BigInt(ir),
    producerName: 'galvani',
    producerVersion: version,
    opsetImport: [{ version: BigInt(opset) }],
    graph,
    metadataProps: metadata.map(([key, value]) => ({ key, value })),
  })
  return encodeModel(model)
}
