/** What reads and writes with one model and has its programs, for texts up to a length; kept until the next text. */
import type { Abortable } from '../base/abort.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { formatShape } from '../base/shape.ts'
import { gather } from '../operations/indexing.ts'
import { tensor } from '../tensor/creation.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { type Variable, variable } from '../tensor/variable.ts'
import { type Compiled, compile } from '../transforms/compile.ts'
import { tensorFrom } from './inputs.ts'
import { type KeyValueCache, kvCache } from './kv-cache.ts'
import { Module, withMode } from './module.ts'
import { sample } from './sampling.ts'

/** What gives logits[1, n, classes] of the token after each of tokens[1, n]. */
export interface LanguageModel {
  forward(tokens: Tensor, options?: { cache?: KeyValueCache | null }): Tensor
  parameters?(): Variable[]
  /** How many tokens it takes. */
  readonly context?: number
}

/** How the next token is chosen. */
export interface Settings {
  readonly temperature: number
  readonly topK: number | null
  readonly topP: number | null
}

/** The least length of a prompt, and of a text. */
const [leastPrompt, leastText] = [16, 64]

/** The least power of two that a length fits in, or the greatest length. */
function preparedLength(length: number, least: number, greatest: number): number {
  let prepared = least
  while (prepared < length) prepared *= 2
  return Math.min(prepared, greatest)
}

/** Variables that a model is made of: where they are others, its programs are as well. */
const variablesOf = (model: LanguageModel): readonly Variable[] => [
  ...(model.parameters?.() ?? []),
  ...(model instanceof Module ? model.buffers() : []),
]

type Read = (tokens: Tensor, count: Tensor, noise: Tensor, settings: Settings) => Tensor
type Next = (noise: Tensor, settings: Settings) => Tensor

const withSignal = (signal: Abortable | undefined): [] => (signal === undefined ? [] : [{ signal }]) as []

/** Writes with one model, one text at a time. */
export class Session {
  readonly variables: readonly Variable[]
  /** Whether nothing went wrong, as with a run that was aborted. */
  isIntact = true
  readonly #op: string
  readonly #cache: KeyValueCache | null
  readonly #last: Variable
  readonly #read: Compiled<Parameters<Read>, Tensor>
  readonly #next: Compiled<Parameters<Next>, Tensor>

  constructor(
    op: string,
    model: LanguageModel,
    readonly capacity: number,
    readonly keepsWhatItSaw: boolean,
  ) {
    this.#op = op
    this.variables = variablesOf(model)
    this.#cache = keepsWhatItSaw ? kvCache({ capacity }) : null
    this.#last = variable([[0]], { dtype: 'int32', trainable: false })
    this.#read = compile<Parameters<Read>, Tensor>((tokens, count, noise, settings) => {
      const logits = this.#logits(model, tokens)
      return this.#write(gather(logits, count.sub(1)), count, noise, settings)
    })
    this.#next = compile<Parameters<Next>, Tensor>((noise, settings) =>
      this.#write(this.#logits(model, this.#last).select(0, 0), 1, noise, settings),
    )
  }

  /** [tokens, classes] */
  #logits(model: LanguageModel, tokens: Tensor): Tensor {
    const cache = this.#cache
    const call = () => (cache === null ? model.forward(tokens) : model.forward(tokens, { cache }))
    const logits = tensorFrom(this.#op, 'a model', withMode(model, model.parameters?.() ?? [], false, call))
    const [, count] = tokens.shape
    if (logits.ndim !== 3 || logits.shape[0] !== 1 || logits.shape[1] !== count)
      throw new ShapeError(
        expected(this.#op, `a model that gives logits [1, ${count}, classes]`, formatShape(logits.shape)),
      )
    if (cache !== null && cache.layers === 0)
      throw new TypeError(expected(this.#op, 'a model whose attention takes the cache, or cache: false', 'another one'))
    return logits.select(0, 0)
  }

  #write(logits: Tensor, count: Tensor | number, noise: Tensor, settings: Settings): Tensor {
    const token = sample(logits, { ...settings, noise })
    this.#cache?.advance(count)
    this.#last.assign(token.reshape([1, 1]))
    return token
  }

  /** Reads some tokens, the first ones of all, and gives the next one. */
  async begin(
    tokens: readonly number[],
    noise: Float32Array,
    settings: Settings,
    signal: Abortable | undefined,
  ): Promise<readonly number[]> {
    this.#cache?.reset()
    const filled = new Int32Array(preparedLength(tokens.length, leastPrompt, this.capacity))
    filled.set(tokens)
    const count = tensor(tokens.length, { dtype: 'int32' })
    const given = tensor(filled, { shape: [1, filled.length] })
    const next = await this.#read(given, count, tensor(noise[0]!), settings, ...withSignal(signal))
    return [await next.item()] as number[]
  }

  /** The next tokens after the last one, one for each random number. */
  async goOn(noise: Float32Array, settings: Settings, signal: Abortable | undefined): Promise<readonly number[]> {
    const next = await this.#next.scan(tensor(noise), settings, ...withSignal(signal))
    return Array.from((await next.data()) as Int32Array)
  }
}

/** Sessions that nobody writes with at the moment, by their models. */
const idle = new WeakMap<object, Session[]>()

/** As many are kept for a model. */
const mostIdle = 8

/** One for texts of a length, with a model that takes `context` tokens. */
export function sessionFor(
  op: string,
  model: LanguageModel,
  length: number,
  context: number,
  isCached: boolean,
): Session {
  const capacity = preparedLength(length, Math.min(leastText, context), context)
  const variables = variablesOf(model)
  const isSame = (others: readonly Variable[]) =>
    others.length === variables.length && others.every((x, i) => x === variables[i])
  const sessions = idle.get(model) ?? []
  const place = sessions.findIndex(
    (x) => x.capacity === capacity && x.keepsWhatItSaw === isCached && isSame(x.variables),
  )
  return place < 0 ? new Session(op, model, capacity, isCached) : sessions.splice(place, 1)[0]!
}

/** Keeps a session whose text is at its end, for the next one. */
export function giveBack(model: LanguageModel, session: Session): void {
  if (!session.isIntact) return
  const sessions = idle.get(model) ?? []
  idle.set(model, [...sessions.slice(1 - mostIdle), session])
}
