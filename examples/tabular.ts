// Learns from a table which collisions of birds with aircraft do damage: `npx tsx examples/tabular.ts`, `--help`. The rows are those of the package
// vega-datasets, of the Wildlife Strike Database of the FAA. A fourth of the speeds are missing, and one row in ten is of damage. The best model is
// saved, with its vocabularies and scales, and another process loads it and scores the rows that were held back.

import { execFileSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { Command } from 'commander'
import * as g from '../lib/index.ts'
import { count, isProgram, seed as seedOption } from './support/options.ts'

interface Options {
  epochs: number
  seed: number
  model: string
  test?: boolean
}

const command = new Command('npx tsx examples/tabular.ts')
  .description('Learn from a CSV file which bird strikes do damage.')
  .option('--epochs <n>', 'at most', count, 60)
  .option('--seed <n>', 'of all that is random', seedOption, 1)
  .option('--model <path>', 'where the best model is saved', 'tabular.safetensors')
  .option('--test', 'load the model and score the rows that were held back')

const { fillMissing, standardize, vocabulary } = g.data.preprocessing

const speed = 'Speed IAS in knots'
const damage = 'Effect Amount of damage'
/** Columns of texts, and how many places their vocabularies have. */
const categories = {
  'Phase of flight': 10,
  'Wildlife Size': 6,
  'Wildlife Species': 40,
  'Time of day': 6,
  'Aircraft Airline Operator': 50,
  'Aircraft Make Model': 128,
}

/** Speeds[n, 1] in knots, and places[n, columns] in the vocabularies. */
type Inputs = { speed: g.Tensor; places: g.Tensor }

export class DamageModel extends g.nn.Module<Inputs> {
  words = Object.values(categories).map((size) => vocabulary(size))
  tables = Object.values(categories).map((size) => g.nn.embedding(size, 8))
  filled = fillMissing(1, { strategy: 'median', indicator: true })
  scale = standardize(2)
  head = g.nn.sequential(
    g.nn.linear(2 + 8 * this.tables.length, 32),
    g.nn.relu(),
    g.nn.dropout(0.3),
    g.nn.linear(32, 1),
  )

  forward({ speed, places }: Inputs): g.Tensor {
    const known = this.tables.map((table, i) => table.forward(places.select(1, i)))
    return this.head.forward(g.concat([this.scale.forward(this.filled.forward(speed)), ...known], 1)).squeeze(1)
  }
}

/** The rows in three parts, which are the same in every process. */
function readRows() {
  const folder = dirname(createRequire(import.meta.url).resolve('vega-datasets'))
  const rows = g.data.fromCSV(join(folder, '..', 'data', 'birdstrikes.csv'), {
    columns: [speed, damage, ...Object.keys(categories)],
  })
  const [known, test] = rows.split(0.8, { seed: 1 })
  const [train, validation] = known.split(0.8, { seed: 2 })
  return { train, validation, test }
}

type Rows = ReturnType<typeof readRows>['train']

/** All rows of a stream as columns: numbers in tensors, texts in lists. */
async function columnsOf(rows: Rows): Promise<Record<string, g.Tensor | string[]>> {
  const [columns] = await rows.batch(2 ** 20).toArray()
  return columns as Record<string, g.Tensor | string[]>
}

async function dataset(model: DamageModel, rows: Rows) {
  const columns = await columnsOf(rows)
  const places = Object.keys(categories).map((name, i) => model.words[i]!.lookup(columns[name] as string[]))
  const isDamaged = (columns[damage] as string[]).map((text) => (text === 'None' ? 0 : 1))
  return g.data.fromTensors(
    { speed: (columns[speed] as g.Tensor).expandDims(1), places: g.stack(places, 1) },
    isDamaged,
  )
}

/** Vocabularies and scales are of the rows that are trained on alone. */
async function prepare(model: DamageModel, rows: Rows): Promise<void> {
  const columns = await columnsOf(rows)
  for (const [i, name] of Object.keys(categories).entries()) await model.words[i]!.fit(columns[name] as string[])
  const speeds = (columns[speed] as g.Tensor).expandDims(1)
  await model.filled.fit(speeds)
  await model.scale.fit(model.filled.forward(speeds))
}

async function train({ epochs, seed, model: path }: Options): Promise<void> {
  g.setSeed(seed)
  const { train, validation } = readRows()
  const model = new DamageModel()
  await prepare(model, train)
  const data = await dataset(model, train)
  const history = await g.fit(model, data, {
    epochs,
    batchSize: 64,
    loss: 'binaryCrossEntropy',
    optimizer: g.optim.adamw({ learningRate: 0.002, weightDecay: 0.02 }),
    validation: await dataset(model, validation),
    seed,
    callbacks: [
      g.callbacks.earlyStopping({ monitor: 'validation.loss', patience: 6, restoreBest: true }),
      {
        onEpochEnd({ epoch, loss, validation }) {
          console.log(`epoch ${epoch + 1}: loss ${loss.toFixed(4)}, of validation ${validation!.loss.toFixed(4)}`)
        },
      },
    ],
  })
  await g.save(path, model)
  console.log(`${data.size} rows, stopped after ${history.epochs.length} epochs; the best model is in ${path}`)
}

/** Of a model that a file has, with its vocabularies: nothing else is known of the rows that it was trained on. */
async function test({ model: path }: Options): Promise<void> {
  const model = new DamageModel()
  model.loadStateDict(await g.load(path))
  model.eval()
  const auc = g.metrics.streaming.rocAuc()
  const data = await dataset(model, readRows().test)
  for await (const [x, y] of data.stream().batch(256)) await auc.update(model.forward(x), y)
  console.log(`test AUC ${((await auc.result()) as number).toFixed(4)} of ${data.size} rows, in another process`)
}

async function main(options: Options): Promise<void> {
  if (options.test) return test(options)
  await train(options)
  const again = [...process.execArgv, process.argv[1]!, '--test', '--model', options.model]
  execFileSync(process.execPath, again, { stdio: 'inherit' })
}

if (isProgram(import.meta.url)) await main(command.parse().opts<Options>())
