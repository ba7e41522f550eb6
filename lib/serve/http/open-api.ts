/** The OpenAPI document of the handler. https://spec.openapis.org/oas/v3.1.0 */
import { version } from '../../base/version.ts'

const json = (schema: object) => ({ content: { 'application/json': { schema } } })
const object = (
  properties: Readonly<Record<string, object>>,
  required: readonly string[] = Object.keys(properties),
) => ({
  type: 'object',
  properties,
  required,
})
const listOf = (items: object) => ({ type: 'array', items })
const text = { type: 'string' }
const truth = { type: 'boolean' }
const integer = { type: 'integer' }
const shape = listOf(integer)
const anything = {}

const schemas = {
  Error: object({ error: text }),
  Tensor: object(
    {
      name: text,
      shape,
      datatype: text,
      data: listOf(anything),
      parameters: object({ binary_data_size: integer }, []),
    },
    ['name', 'shape', 'datatype'],
  ),
  TensorMetadata: object({ name: text, datatype: text, shape }),
}
const ref = (name: keyof typeof schemas) => ({ $ref: `#/components/schemas/${name}` })

const requestedOutput = object({ name: text, parameters: object({ binary_data: truth }, []) }, ['name'])
const inferenceRequest = object({ id: text, inputs: listOf(ref('Tensor')), outputs: listOf(requestedOutput) }, [
  'inputs',
])
const inferenceResponse = object({ model_name: text, model_version: text, id: text, outputs: listOf(ref('Tensor')) }, [
  'model_name',
  'outputs',
])
const metadata = object({
  name: text,
  versions: listOf(text),
  platform: text,
  inputs: listOf(ref('TensorMetadata')),
  outputs: listOf(ref('TensorMetadata')),
})

const failures = { default: { description: 'What is wrong.', ...json(ref('Error')) } }
const answers = (description: string, schema: object) => ({
  responses: { 200: { description, ...json(schema) }, ...failures },
})

const path = (name: string, where: readonly string[]) => ({
  operationId: name,
  ...(where.length === 0
    ? {}
    : { parameters: where.map((each) => ({ name: each, in: 'path', required: true, schema: text })) }),
})

/** The paths of a model, with a version and without. */
function ofModels(suffix: string, method: string, name: string, description: object): [string, object][] {
  return [
    [`/models/{model}${suffix}`, { [method]: { ...path(name, ['model']), ...description } }],
    [
      `/models/{model}/versions/{version}${suffix}`,
      { [method]: { ...path(`${name}OfVersion`, ['model', 'version']), ...description } },
    ],
  ]
}

const under = (prefix: string, paths: readonly [string, object][]) =>
  Object.fromEntries(paths.map(([name, value]) => [`${prefix}${name}`, value]))

const statistics = object({
  ...Object.fromEntries(
    ['rows', 'heldOut', 'removed', 'buffered', 'steps', 'rounds', 'swaps', 'keptBack', 'undone'].map((name) => [
      name,
      integer,
    ]),
  ),
  checkpoints: integer,
  failedCheckpoints: integer,
  versions: listOf(integer),
  last: { type: ['object', 'null'] },
  failure: { type: ['string', 'null'] },
})

const descriptionOf = (models: readonly string[], learning: readonly string[]): string =>
  `Models: ${models.join(', ')}.${learning.length === 0 ? '' : ` Those that learn: ${learning.join(', ')}.`}`

/** The paths of trainers. */
function learningPaths(): Readonly<Record<string, object>> {
  const taken = answers(
    'How many rows were taken, and the version that is served.',
    object({ rows: integer, version: integer }),
  )
  const learnTensors = object({ id: text, inputs: listOf(ref('Tensor')) }, ['inputs'])
  const learnRows = object({ instances: listOf(anything), inputs: anything, targets: listOf(anything) }, ['targets'])
  const of = (name: string) => path(name, ['model'])
  return {
    '/v2/models/{model}/learn': {
      get: { ...of('learning'), ...answers('What was learned so far.', statistics) },
      post: { ...of('learn'), requestBody: json(learnTensors), ...taken },
    },
    '/v2/models/{model}/learn/rollback': {
      post: {
        ...of('rollback'),
        requestBody: json(object({ version: integer, forget: truth }, ['version'])),
        ...answers('The version that is served.', object({ version: integer })),
      },
    },
    '/v1/models/{model}:learn': { post: { ...of('learnRows'), requestBody: json(learnRows), ...taken } },
  }
}

/** @param models the names of those that are served, and of those that learn, as examples */
export function openApiDocument(models: readonly string[], learning: readonly string[]): object {
  const ready = answers('Whether requests are answered.', object({ ready: truth }, ['ready']))
  const predict = {
    requestBody: json(object({ instances: listOf(anything), inputs: anything }, [])),
    ...answers('The predictions.', object({ predictions: listOf(anything), outputs: anything }, [])),
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Galvani', version, description: descriptionOf(models, learning) },
    paths: {
      '/v2': {
        get: {
          ...path('server', []),
          ...answers('The server.', object({ name: text, version: text, extensions: listOf(text) })),
        },
      },
      '/v2/health/live': {
        get: { ...path('live', []), ...answers('Whether the server runs.', object({ live: truth })) },
      },
      '/v2/health/ready': { get: { ...path('ready', []), ...ready } },
      ...under('/v2', [
        ...ofModels('', 'get', 'model', answers('What a model takes and gives.', metadata)),
        ...ofModels('/ready', 'get', 'modelReady', ready),
        ...ofModels('/infer', 'post', 'infer', {
          requestBody: json(inferenceRequest),
          ...answers('The outputs.', inferenceResponse),
        }),
      ]),
      ...under('/v1', [
        ...ofModels(
          '',
          'get',
          'modelStatus',
          answers('The versions of a model.', object({ model_version_status: listOf(anything) })),
        ),
        ...ofModels(':predict', 'post', 'predict', predict),
      ]),
      ...(learning.length === 0 ? {} : learningPaths()),
      '/metrics': { get: { ...path('metrics', []), responses: { 200: { description: "Prometheus' text format." } } } },
    },
    components: { schemas },
  }
}
