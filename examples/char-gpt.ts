// Learns to write like a text, letter by letter: a transformer whose tokens see those before them alone (A. Radford et al.: Language
// models are unsupervised multitask learners, 2019), in small: `npx tsx examples/char-gpt.ts`, `--help`. A step of
// training is one compiled program, which cuts its batch out of the text by itself; texts are written with a cache of keys and values.

import { Command } from 'commander'
import * as g from '../lib/index.ts'
import { count, isProgram, seed as seedOption } from './support/options.ts'
import { decode, encode, readText, type Text } from './support/text.ts'
import { trainOnText } from './support/train-on-text.ts'

interface Options {
  text?: string
  steps: number
  layers: number
  features: number
  context: number
  batchSize: number
  tokens: number
  prompt: string
  seed: number
}

const command = new Command('npx tsx examples/char-gpt.ts')
  .description('Train a transformer on the characters of a text, and have it write.')
  .option('--text <file>', 'the text; the declarations that TypeScript ships unless given')
  .option('--steps <n>', 'of training', count, 2000)
  .option('--layers <n>', 'of the transformer', count, 4)
  .option('--features <n>', 'of a token', count, 128)
  .option('--context <n>', 'characters that it sees', count, 64)
  .option('--batch-size <n>', 'pieces of the text for a step', count, 16)
  .option('--tokens <n>', 'characters that it writes in the end', count, 400)
  .option('--prompt <text>', 'what it begins with', '/**\n * Returns ')
  .option('--seed <n>', 'of all that is random', seedOption, 1)

const heads = 4

export class CharGpt extends g.nn.Module {
  readonly context: number
  readonly letters: g.nn.Embedding
  readonly places: g.nn.Embedding
  readonly blocks: g.nn.TransformerEncoder
  readonly head: g.nn.Linear

  constructor(classes: number, { layers, features, context }: Pick<Options, 'layers' | 'features' | 'context'>) {
    super()
    this.context = context
    this.letters = g.nn.embedding(classes, features)
    this.places = g.nn.embedding(context, features)
    const shape = { feedForward: 4 * features, activation: 'gelu', normFirst: true, norm: true } as const
    this.blocks = g.nn.transformerEncoder(features, heads, layers, { ...shape, dropout: 0 })
    this.head = g.nn.linear(features, classes, { bias: false })
    // What a letter is worth as an input is what it is worth as an output.
    this.head.weight = this.letters.weight
    for (const { weight } of [this.letters, this.places]) weight.assign(g.nn.init.normal(weight.shape, { std: 0.02 }))
  }

  forward(tokens: g.Tensor, { cache = null }: { cache?: g.nn.KeyValueCache | null } = {}): g.Tensor {
    const length = tokens.shape[1]!
    const places = cache === null ? g.arange(0, length, 1, { dtype: 'int32' }) : cache.positions(length)
    const x = this.letters.forward(tokens).add(this.places.forward(places))
    return this.head.forward(this.blocks.forward(x, { causal: true, cache }))
  }
}

async function main(given: Options): Promise<void> {
  g.setSeed(given.seed)
  const text = readText(given.text)
  const model = new CharGpt(text.alphabet.length, given)
  await trainOnText(model, (tokens) => model.forward(tokens), text, { ...given, length: given.context })
  await write(model, text, given)
}

async function write(model: CharGpt, text: Text, { tokens, prompt, seed }: Options): Promise<void> {
  const known = encode(text, prompt)
  const begin = performance.now()
  const written = await g.generate(model, known.length > 0 ? known : [0], {
    ...{ maxTokens: tokens, temperature: 0.7, topK: 20, seed },
  })
  const took = performance.now() - begin
  console.log(`\n${prompt}${decode(text, written)}\n`)
  console.log(`${(took / tokens).toFixed(2)} ms for a character, the programs included`)
}

if (isProgram(import.meta.url)) await main(command.parse().opts<Options>())
