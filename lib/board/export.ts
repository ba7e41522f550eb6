/** Runs as one file of the page, which needs no server: to be mailed. */
import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { turnIfDue } from '../base/turns.ts'
import { pageAround } from './assets.ts'
import type { News } from './news.ts'
import { keptTypes } from './run.ts'

const pointsOfSeries = 4000
const recordsOfTag = 100

/**
 * Answers with the file, a piece at a time and as fast as it is taken.
 * @throws (rejects with) an Error where who asked for it is gone
 */
export async function exportRuns(news: News, ids: readonly string[], response: ServerResponse): Promise<void> {
  response.writeHead(200, {
    'content-type': 'text/html; charset=utf-8',
    'content-disposition': `attachment; filename="${fileName(ids)}"`,
  })
  await pipeline(Readable.from(piecesOfFile(news, ids), { objectMode: false }), response)
}

async function* piecesOfFile(news: News, ids: readonly string[]): AsyncGenerator<string> {
  const [before, after] = pageAround()
  yield before
  for (const text of piecesOf(news, ids)) {
    yield inHtml(text)
    await turnIfDue()
  }
  yield after
}

/** The list of `ExportedRun`s, as JSON. */
function* piecesOf(news: News, ids: readonly string[]): Generator<string> {
  yield '['
  for (const [i, id] of ids.entries()) {
    const run = news.runs.get(id)?.run
    if (run === undefined) continue
    // Nobody can control it from there.
    const summary = { ...news.summary(id), controls: false }
    yield `${i > 0 ? ',' : ''}{"summary":${JSON.stringify(summary)},"series":[`
    let separator = ''
    for (const tag of run.tags) {
      yield separator + JSON.stringify({ ...run.series(tag, pointsOfSeries), at: 0 })
      separator = ','
    }
    yield '],"records":['
    separator = ''
    for (const type of keptTypes)
      for (const text of run.records(type, undefined, recordsOfTag)) {
        yield `${separator}${text}`
        separator = ','
      }
    yield ']}'
  }
  yield ']'
}

/** Nothing in it ends the element that it is in, or begins a comment there. */
const inHtml = (json: string): string => json.replaceAll('<', '\\u003c')

const fileName = (ids: readonly string[]): string =>
  ids.length === 1
    ? `${
        ids[0]!
          .replaceAll(/[^\w-]+/g, '-')
          .slice(-60)
          .replace(/^-+$/, '') || 'run'
      }.html`
    : 'runs.html'
