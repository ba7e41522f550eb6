/** Texts that a model of language writes: token by token, in programs of a few prepared lengths. */
import { type Abortable, liveSignal } from '../base/abort.ts'
import { checkFunction, checkInteger, checkNumbers, describe } from '../base/arguments.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { formatShape } from '../base/shape.ts'
import { uniform } from '../tensor/random.ts'
import type { Tensor, TensorLike } from '../tensor/tensor.ts'
import { inputOf } from './inputs.ts'
import { type SampleOptions, sample } from './sampling.ts'
import { giveBack, type LanguageModel, type Session, type Settings, sessionFor } from './sessions.ts'

export type { LanguageModel } from './sessions.ts'

export interface GenerateOptions extends Omit<SampleOptions, 'noise'> {
  /** How many tokens are written at most; 100 unless given. */
  maxTokens?: number
  /** Tokens that end the text, and are not in it. */
  stop?: number | readonly number[]
  /**
   * How many tokens the model takes; its own `context` unless given, or else 1024. Where there are more, it goes on with the latter half
   * of them.
   */
  context?: number
  /** Whether the model is given a `cache` to keep keys and values in; true unless given. The text is the same, but for rounding. */
  cache?: boolean
  /** Ends it with its reason. */
  signal?: Abortable
  /** Called with each token, and its place in the text. */
  onToken?: (token: number, index: number) => void
}

const generateOptions: OptionTypes<GenerateOptions> = {
  maxTokens: 'number',
  temperature: 'number',
  topK: 'number or null',
  topP: 'number or null',
  seed: 'number',
  stop: 'other',
  context: 'number',
  cache: 'boolean',
  signal: 'other',
  onToken: 'function',
}

/** What is checked, before anything is computed. */
interface Plan {
  readonly model: LanguageModel
  readonly prompt: TensorLike
  readonly maxTokens: number
  readonly stop: ReadonlySet<number>
  readonly context: number
  readonly cache: boolean
  readonly settings: Settings
  readonly seed: number | undefined
  readonly signal: Abortable | undefined
  readonly onToken: ((token: number, index: number) => void) | undefined
}

const greatestContext = 2 ** 24

function planOf(op: string, model: LanguageModel, prompt: TensorLike, options: GenerateOptions | undefined): Plan {
  const given = checkOptions(op, options, generateOptions)
  if ((typeof model !== 'object' && typeof model !== 'function') || model === null)
    throw new TypeError(expected(op, 'a model', describe(model)))
  checkFunction(op, 'a model with a method forward', model.forward)
  if (model.parameters !== undefined) checkFunction(op, 'a model whose parameters is a method', model.parameters)
  const { maxTokens = 100, temperature = 1, topK = null, topP = null, seed, stop = [], cache = true, onToken } = given
  // What is wrong with them is said here.
  sample([0], { temperature, topK, topP, ...(seed === undefined ? {} : { seed }) })
  const { context = model.context ?? 1024 } = given
  return {
    ...{ model, prompt: inputOf(op, prompt), cache, seed, onToken, settings: { temperature, topK, topP } },
    maxTokens: checkInteger(op, 'maxTokens from 0 on', maxTokens, 0, 2 ** 30),
    context: checkInteger(op, 'a positive context', context, 1, greatestContext),
    stop: new Set(
      checkNumbers(op, 'integers as stop tokens', typeof stop === 'number' ? [stop] : stop, Number.isInteger),
    ),
    signal: liveSignal(op, { signal: given.signal }),
  }
}

async function tokensOf(op: string, prompt: Tensor): Promise<number[]> {
  if (prompt.ndim !== 1 || prompt.size === 0)
    throw new ShapeError(expected(op, 'a prompt of at least one token', formatShape(prompt.shape)))
  return Array.from(await prompt.data(), (token) =>
    checkInteger(op, 'tokens from 0 on in the prompt', token, 0, 2 ** 31 - 1),
  )
}

/** About as long may one crossing take, after which there are new tokens. */
const crossingMilliseconds = 8

/** How many steps the next crossing is of, by how long the last ones took. */
class Pace {
  #steps = 1

  async of<T>(steps: number, run: () => Promise<T>): Promise<T> {
    const start = performance.now()
    const result = await run()
    const step = (performance.now() - start) / steps
    this.#steps = Math.max(1, Math.min(2 * this.#steps, Math.floor(crossingMilliseconds / step)))
    return result
  }

  atMost(steps: number): number {
    return Math.min(this.#steps, steps)
  }
}

async function* write(op: string, plan: Plan): AsyncGenerator<number, void, undefined> {
  const { maxTokens, context, stop, seed, onToken, signal } = plan
  const prompt = await tokensOf(op, plan.prompt as Tensor)
  if (maxTokens === 0) return
  const noise = (await uniform([maxTokens], seed === undefined ? {} : { seed }).data()) as Float32Array
  const session = sessionFor(op, plan.model, Math.min(context, prompt.length + maxTokens), context, plan.cache)
  let index = 0
  try {
    for await (const tokens of crossings(plan, session, prompt, noise)) {
      for (const token of tokens) {
        if (stop.has(token)) return
        signal?.throwIfAborted()
        onToken?.(token, index++)
        yield token
      }
    }
  } catch (error) {
    session.isIntact = false
    throw error
  } finally {
    giveBack(plan.model, session)
  }
}

/** All tokens up to the last one, some at a time. */
async function* crossings(
  { context, settings, signal }: Plan,
  session: Session,
  prompt: readonly number[],
  noise: Float32Array,
): AsyncGenerator<readonly number[], void, undefined> {
  const pace = new Pace()
  let window = prompt.slice(-context)
  let isSeen = false
  for (let written = 0; written < noise.length; ) {
    if (window.length > context) {
      window = window.slice(-Math.max(1, Math.floor(context / 2)))
      isSeen = false
    }
    const steps = isSeen ? pace.atMost(Math.min(noise.length - written, context - window.length + 1)) : 1
    const numbers = noise.slice(written, written + steps)
    const tokens = isSeen
      ? await pace.of(steps, () => session.goOn(numbers, settings, signal))
      : await session.begin(window, numbers, settings, signal)
    isSeen = session.keepsWhatItSaw
    written += tokens.length
    window.push(...tokens)
    yield tokens
  }
}

/**
 * `generate`, as an iterator that gives each token when it is there, some milliseconds of them at a time, and may be left at any
 * moment.
 *
 * @example for await (const token of generateTokens(model, prompt, { maxTokens: 500, seed: 1 })) process.stdout.write(letters[token])
 */
export function generateTokens(
  model: LanguageModel,
  prompt: TensorLike,
  options?: GenerateOptions,
): AsyncGenerator<number, void, undefined> {
  return write('generateTokens', planOf('generateTokens', model, prompt, options))
}

/**
 * The tokens that a model writes after those of a prompt, each drawn by `sample` from the logits that the model gives after the ones before
 * it. It is computed off the event loop, in evaluation mode, whatever the mode of the model.
 *
 * There are two programs for each prepared length (64, 128, 256, … and the context): one that reads the prompt, filled up to a
 * prepared length as well, and one for every token after it. They are kept with the model, so that only the first text of such a length waits for
 * them. The model passes the `cache` that `forward` is given on to its layers of attention, and reads its positions from it; with
 * `cache: false` it is called with all tokens each time.
 *
 * @param model its `forward` takes tokens int32 [1, n] and gives logits [1, n, classes], each of what it saw up to there alone
 * @param prompt [n] integers, at least one; of more than the context the last ones count
 * @returns the new tokens, without the prompt
 * @throws (rejects with) TypeError, RangeError for options that are none; TypeError for a model that does not use the cache; what the model throws; the reason of the signal
 *
 * @example
 * class Writer extends nn.Module {
 *   context = 256
 *   words = nn.embedding(65, 128)
 *   blocks = nn.transformerEncoder(128, 4, 4, { normFirst: true, norm: true, rotary: true })
 *   head = nn.linear(128, 65)
 *   forward(tokens, { cache } = {}) {
 *     return this.head.forward(this.blocks.forward(this.words.forward(tokens), { causal: true, cache }))
 *   }
 * }
 * const text = await generate(writer, prompt, { maxTokens: 200, temperature: 0.8, topK: 20, seed: 1 })
 */
export async function generate(model: LanguageModel, prompt: TensorLike, options?: GenerateOptions): Promise<number[]> {
  const tokens: number[] = []
  for await (const token of write('generate', planOf('generate', model, prompt, options))) tokens.push(token)
  return tokens
}
