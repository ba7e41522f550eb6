/** What is answered to the questions of the page, made so that the event loop turns in between. */
import { turnIfDue } from '../base/turns.ts'
import { fewestPoints } from './decimate.ts'
import { Refusal } from './guard.ts'
import type { News } from './news.ts'
import { keptTypes, type Run } from './run.ts'

const [usualPoints, mostPoints] = [2000, 100_000]
const mostRecords = 200
const mostRunsAsked = 1000

/** So many characters of series are kept for who asks for the same again. */
const mostKept = 2 ** 25

export class Answers {
  readonly #news: News
  /** Series by all that they follow from; the one that was used last stands at the end. */
  readonly #kept = new Map<string, string>()
  #keptLength = 0

  constructor(news: News) {
    this.#news = news
  }

  async runs(query: URLSearchParams): Promise<Buffer> {
    checkNames(query, [])
    const texts: string[] = []
    for (const id of this.#news.runs.ids) {
      const summary = this.#news.summary(id)
      if (summary !== undefined) texts.push(JSON.stringify(summary))
      await turnIfDue()
    }
    return listOf(texts)
  }

  async series(query: URLSearchParams): Promise<Buffer> {
    checkNames(query, ['run', 'tag', 'points', 'from', 'to'])
    const tag = textIn(query, 'tag')
    const points = integerIn(query, 'points', usualPoints, fewestPoints, mostPoints)
    const [from, to] = [numberIn(query, 'from', -Infinity), numberIn(query, 'to', Infinity)]
    const texts: string[] = []
    for (const id of this.runsIn(query)) {
      // One of them may have gone meanwhile.
      const run = this.#news.runs.get(id)?.run
      if (run !== undefined) texts.push(this.#seriesOf(run, tag, points, from, to))
      await turnIfDue()
    }
    return listOf(texts)
  }

  #seriesOf(run: Run, tag: string, points: number, from: number, to: number): string {
    const key = JSON.stringify([run.number, tag, run.versionOf(tag), points, from, to])
    const text = this.#kept.get(key) ?? JSON.stringify(run.series(tag, points, from, to))
    this.#keep(key, text)
    return `{"at":${this.#news.stream.number},${text.slice(1)}`
  }

  #keep(key: string, text: string): void {
    if (!this.#kept.delete(key)) this.#keptLength += text.length
    this.#kept.set(key, text)
    for (const [oldest, { length }] of this.#kept) {
      if (this.#keptLength <= mostKept) return
      this.#kept.delete(oldest)
      this.#keptLength -= length
    }
  }

  async records(query: URLSearchParams): Promise<Buffer> {
    checkNames(query, ['run', 'type', 'tag', 'most'])
    const asked = textIn(query, 'type')
    const type = keptTypes.find((name) => name === asked)
    if (type === undefined)
      throw new Refusal(400, `expected a type of ${keptTypes.join(', ')}, got ${JSON.stringify(asked)}`)
    const most = integerIn(query, 'most', mostRecords, 1, mostRecords)
    const [id] = this.runsIn(query)
    return listOf(this.#news.runs.get(id!)!.run.records(type, query.get('tag') ?? undefined, most))
  }

  /**
   * The runs that are asked for, all of which are there.
   * @throws Refusal for none, too many, or one that is not there
   */
  runsIn(query: URLSearchParams): string[] {
    const ids = query.getAll('run')
    if (ids.length === 0 || ids.length > mostRunsAsked)
      throw new Refusal(400, `expected from 1 to ${mostRunsAsked} parameters run, got ${ids.length}`)
    const unknown = ids.find((id) => this.#news.runs.get(id) === undefined)
    if (unknown !== undefined) throw new Refusal(404, `there is no run ${JSON.stringify(unknown)}`)
    return ids
  }
}

/** A list of what is JSON already. */
function listOf(items: readonly (string | Uint8Array)[]): Buffer {
  const parts = items.flatMap((item, i) => [Buffer.from(i === 0 ? '[' : ','), Buffer.from(item as Uint8Array)])
  return Buffer.concat(parts.length === 0 ? [Buffer.from('[]')] : [...parts, Buffer.from(']')])
}

/** @throws Refusal for a parameter of another name */
export function checkNames(query: URLSearchParams, names: readonly string[]): void {
  for (const name of query.keys())
    if (!names.includes(name))
      throw new Refusal(400, `expected no parameters but ${names.join(', ') || 'none'}, got ${JSON.stringify(name)}`)
}

function textIn(query: URLSearchParams, name: string): string {
  const text = query.get(name)
  if (text === null) throw new Refusal(400, `expected a parameter ${name}`)
  return text
}

function numberIn(query: URLSearchParams, name: string, usual: number): number {
  const text = query.get(name)
  if (text === null) return usual
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (!Number.isFinite(value)) throw new Refusal(400, `expected a number as ${name}, got ${JSON.stringify(text)}`)
  return value
}

function integerIn(query: URLSearchParams, name: string, usual: number, least: number, most: number): number {
  const value = numberIn(query, name, usual)
  if (!Number.isInteger(value) || value < least || value > most)
    throw new Refusal(400, `expected an integer from ${least} to ${most} as ${name}, got ${value}`)
  return value
}
