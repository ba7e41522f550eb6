/** ModelInfer: the inputs of a message as rows, and results as the outputs of one, in the form that the inputs had. */
import type { MessageInitShape } from '@bufbuild/protobuf'
import { elementsOf } from '../protocol/datatypes.ts'
import { invalid, RequestError } from '../protocol/faults.ts'
import { rowsOfInputs } from '../protocol/inputs.ts'
import type { Models } from '../protocol/models.ts'
import type { NamedResult } from '../protocol/results.ts'
import { contentsOf, numbersIn } from './contents.ts'
import type { ModelInferRequest, ModelInferResponseSchema } from './wire/inference_pb.ts'

export async function infer(
  models: Models,
  request: ModelInferRequest,
  signal: AbortSignal,
): Promise<MessageInitShape<typeof ModelInferResponseSchema>> {
  const { modelName, modelVersion, id } = request
  const served = models.find(modelName, modelVersion === '' ? undefined : modelVersion)
  const refusal = served.predictor.refusal()
  if (refusal !== undefined) throw new RequestError('full', refusal)
  const inputs = givenInputs(request)
  const rows = rowsOfInputs(served.predictor.inputs, models.maxRows, inputs, ({ raw, contents }, input) => {
    const { name, datatype, size, spec } = input
    return raw === undefined
      ? numbersIn(name, datatype, contents, size)
      : elementsOf(name, datatype, raw, size, spec.dtype)
  })
  const asked = new Set(request.outputs.map(({ name }) => name))
  const results = await models.answer(served, rows, asked, signal)
  const isRaw = request.rawInputContents.length > 0
  return {
    modelName: served.name,
    modelVersion: served.version,
    id,
    outputs: results.map((result) => describedOutput(result, !isRaw)),
    rawOutputContents: isRaw ? results.map((result) => result.bytes()) : [],
  }
}

/** @throws RequestError for bytes of other than all inputs, or beside numbers */
function givenInputs({ inputs, rawInputContents: raw }: ModelInferRequest) {
  if (raw.length > 0 && raw.length !== inputs.length)
    throw invalid(`raw_input_contents: those of ${inputs.length} inputs are expected, got ${raw.length}`)
  return inputs.map(({ name, datatype, shape, contents }, i) => {
    if (raw.length > 0 && contents.length > 0)
      throw invalid(`input ${name}: raw_input_contents or contents are expected, got both`)
    return { name, datatype, shape: shape.map(Number), contents, raw: raw[i] }
  })
}

const describedOutput = (result: NamedResult, hasContents: boolean) => ({
  name: result.name,
  datatype: result.datatype,
  shape: result.shape.map(BigInt),
  ...(hasContents && { contents: contentsOf(result) }),
})
