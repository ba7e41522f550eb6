// Learns to write like a text, letter by letter, with a state that is carried along instead of a context (A. Graves: Generating
// sequences with recurrent neural networks, 2013), in small: `npx tsx examples/char-lstm.ts`, `--help`. A step of training is one
// compiled program, the loop over the letters included, and so is the loop that writes, whose state is what it carries.

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
  length: number
  batchSize: number
  tokens: number
  prompt: string
  seed: number
}

const command = new Command('npx tsx examples/char-lstm.ts')
  .description('Train an LSTM on the characters of a text, and have it write.')
  .option('--text <file>', 'the text; the declarations that TypeScript ships unless given')
  .option('--steps <n>', 'of training', count, 2000)
  .option('--layers <n>', 'of the LSTM', count, 1)
  .option('--features <n>', 'of a state', count, 128)
  .option('--length <n>', 'characters through which a gradient goes back', count, 64)
  .option('--batch-size <n>', 'pieces of the text for a step', count, 16)
  .option('--tokens <n>', 'characters that it writes in the end', count, 400)
  .option('--prompt <text>', 'what it begins with', '/**\n * Returns ')
  .option('--seed <n>', 'of all that is random', seedOption, 1)

type State = [h: g.Tensor, c: g.Tensor]

interface Foretold {
  /** Of the character after each: [batch, steps, classes]. */
  readonly logits: g.Tensor
  /** After the last one: two of [layers, batch, features]. */
  readonly state: State
}

export class CharLstm extends g.nn.Module<g.Tensor, Foretold> {
  readonly letters: g.nn.Embedding
  readonly lstm: g.nn.Recurrent<State>
  readonly head: g.nn.Linear

  constructor(classes: number, { layers, features }: Pick<Options, 'layers' | 'features'>) {
    super()
    this.letters = g.nn.embedding(classes, features)
    this.lstm = g.nn.lstm(features, features, { layers, batchFirst: true })
    this.head = g.nn.linear(features, classes)
  }

  forward(tokens: g.Tensor, before: State | null = null): Foretold {
    const { output, state } = this.lstm.forward(this.letters.forward(tokens), before)
    return { logits: this.head.forward(output), state }
  }
}

async function main(given: Options): Promise<void> {
  g.setSeed(given.seed)
  const text = readText(given.text)
  const model = new CharLstm(text.alphabet.length, given)
  await trainOnText(model, (tokens) => model.forward(tokens).logits, text, given)
  await write(model, text, given)
}

/**
 * Reads the prompt and then goes on letter by letter, each drawn by what the letters before it have left in the state: one program,
 * and one call of it.
 */
async function write(model: CharLstm, text: Text, { tokens, prompt }: Options): Promise<void> {
  const draw = (logits: g.Tensor) => g.sample(logits.select(1, -1), { temperature: 0.7, topK: 20 })
  const writeOn = g.compile((given: g.Tensor) => {
    const { logits, state } = model.forward(given)
    const step = ({ token, state }: { token: g.Tensor; state: State }) => {
      const next = model.forward(token.unsqueeze(1), state)
      return [{ token: draw(next.logits), state: next.state }, token] as const
    }
    return g.scan(step, { token: draw(logits), state }, null, { length: tokens })[1]
  })
  const known = encode(text, prompt)
  const begin = performance.now()
  const written = await (await writeOn(g.tensor([known.length > 0 ? known : [0]], { dtype: 'int32' }))).data()
  const took = performance.now() - begin
  console.log(`\n${prompt}${decode(text, Array.from(written, Number))}\n`)
  console.log(`${(took / tokens).toFixed(2)} ms for a character, the program included`)
}

if (isProgram(import.meta.url)) await main(command.parse().opts<Options>())
