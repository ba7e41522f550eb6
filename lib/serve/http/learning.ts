/** Learning over HTTP: rows with targets for the trainers of models, what came of them, and the way back. */
import { describe } from '../../base/arguments.ts'
import { expected } from '../../base/errors.ts'
import { checkRecord } from '../../base/options.ts'
import type { InputValues, RowValues } from '../inputs.ts'
import type { DescribedLearning } from '../learning-statistics.ts'
import { OnlineTrainer } from '../online-trainer.ts'
import { invalid, RequestError } from '../protocol/faults.ts'
import { checkRowCount } from '../protocol/inputs.ts'
import type { ModelsByName } from '../protocol/models.ts'
import { inferenceRequest } from './inference.ts'
import { HttpError, jsonReply, type Reply } from './reply.ts'
import { predictRows } from './tensorflow-serving.ts'

/** By the names of the models that they train. */
export type TrainersByName = Readonly<Record<string, OnlineTrainer>>

/** The name of the targets among the tensors of a request. */
const targetsName = 'targets'

/** What `trainers` holds is looked at for each request. */
export class Learning {
  constructor(
    private readonly trainers: TrainersByName,
    private readonly maxRows: number,
  ) {}

  /** The names of models that have a trainer. */
  get names(): string[] {
    return Object.keys(this.trainers)
  }

  get described(): DescribedLearning[] {
    return Object.entries(this.trainers).map(([model, trainer]) => ({
      statistics: trainer.statistics(),
      labels: { model },
    }))
  }

  /** @throws RequestError for a model without a trainer */
  find(name = ''): OnlineTrainer {
    if (Object.hasOwn(this.trainers, name)) return this.trainers[name]!
    throw new RequestError('notFound', `no trainer of ${name.slice(0, 200)}`)
  }

  /** Tensors of the Open Inference Protocol: the inputs of the model, and the targets. */
  tensors(trainer: OnlineTrainer, body: Uint8Array, headers: NodeJS.Dict<string | string[]>): Reply {
    const { inputs } = trainer.predictor
    const specs = [...inputs, { ...trainer.target, name: targetsName }]
    const { id, rows: given } = inferenceRequest(body, headers, specs, this.maxRows)
    const { [targetsName]: targets, ...rows } = given as Readonly<Record<string, InputValues>>
    return this.#learn(trainer, inputs[0]!.name === '' ? rows['']! : rows, targets!, id)
  }

  /** TensorFlow Serving's rows or columns, and a list of targets. */
  rows(trainer: OnlineTrainer, body: Record<string, unknown>): Reply {
    const { rows } = predictRows(body, trainer.predictor.inputs)
    const { targets } = body
    if (!Array.isArray(targets)) throw invalid('targets: a list is expected, with one for each row')
    checkRowCount(targets.length, this.maxRows)
    return this.#learn(trainer, rows, targets as InputValues)
  }

  #learn(trainer: OnlineTrainer, rows: RowValues, targets: InputValues, id?: string): Reply {
    const { failure } = trainer.statistics()
    if (failure !== null) throw new HttpError(500, `learning has ended: ${failure}`)
    return jsonReply({ id, rows: trainer.learnRows(rows, targets), version: trainer.predictor.version })
  }

  async rollback(trainer: OnlineTrainer, { version, forget = false }: Record<string, unknown>): Promise<Reply> {
    if (typeof version !== 'number') throw invalid('version: a number is expected')
    if (typeof forget !== 'boolean') throw invalid('forget: true or false is expected')
    return jsonReply({ version: await trainer.rollback(version, { forget }) })
  }
}

/** @throws TypeError for what are no trainers of the models */
export function checkTrainers(op: string, trainers: TrainersByName, models: ModelsByName): void {
  for (const [name, trainer] of Object.entries(checkRecord(op, 'trainers by the names of models', trainers))) {
    if (!(trainer instanceof OnlineTrainer))
      throw new TypeError(expected(op, `an online trainer as ${name}`, describe(trainer)))
    const { predictor } = trainer
    const served = Object.hasOwn(models, name) ? models[name]! : {}
    if (served !== predictor && !Object.values(served).includes(predictor))
      throw new TypeError(expected(op, `a trainer of the model ${name}`, 'one of another predictor'))
    if (predictor.inputs.some((input) => input.name === targetsName))
      throw new TypeError(expected(op, `a model without an input named ${targetsName}, to learn`, name))
  }
}
