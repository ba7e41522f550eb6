// Where runs come from: the server of the page, or the page itself where it was exported.

/**
 * @typedef {import('../protocol.ts').RunSummary} RunSummary
 * @typedef {import('../protocol.ts').Series} Series
 * @typedef {import('../protocol.ts').ControlRequest} ControlRequest
 * @typedef {import('../../events/record.ts').RunRecord} RunRecord
 * @typedef {'connecting' | 'live' | 'lost' | 'exported'} Connection
 * @typedef {{
 *   records(event: import('../protocol.ts').RecordsEvent, number: number): void
 *   runs(summaries: readonly RunSummary[]): void
 *   gone(runs: readonly string[]): void
 *   stale(runs?: readonly string[]): void
 *   connection(state: Connection): void
 * }} Watcher
 * @typedef {{
 *   isExport: boolean
 *   canControl: boolean
 *   runs(): Promise<readonly RunSummary[]>
 *   series(runs: readonly string[], tag: string, points: number, steps?: readonly [number, number]): Promise<readonly Series[]>
 *   records(run: string, type: string, tag?: string): Promise<readonly RunRecord[]>
 *   watch(watcher: Watcher): void
 *   control(request: ControlRequest): Promise<string>
 *   exportAddress(run: string): string | null
 * }} Source
 */

/** @returns {Source} */
export function openSource() {
  const held = document.getElementById('galvani-export')
  if (held !== null) window.galvaniExport = JSON.parse(held.textContent ?? '[]')
  return window.galvaniExport === undefined ? serverSource(takeToken()) : exportSource(window.galvaniExport)
}

/**
 * The token that controls ask for, out of the address, where it would be seen and copied; it is kept for as long as the tab is there.
 * @returns {string | null}
 */
function takeToken() {
  const address = new URL(location.href)
  const token = address.searchParams.get('token') ?? /^#token=(.*)$/.exec(address.hash)?.[1] ?? null
  if (token === null) return sessionStorage.getItem('galvani-token')
  sessionStorage.setItem('galvani-token', token)
  address.searchParams.delete('token')
  if (address.hash.startsWith('#token=')) address.hash = ''
  history.replaceState(null, '', address)
  return token
}

/** How long after a lost connection another one is tried, at first and at most. */
const [firstPause, longestPause] = [250, 4000]

/** Milliseconds: a beat comes every five seconds. */
const longestSilence = 15_000

/**
 * @param {string | null} token
 * @returns {Source}
 */
function serverSource(token) {
  /** @param {string} path @param {[string, string | number][]} query */
  const get = async (path, query = []) => {
    const address = `api/${path}?${new URLSearchParams(query.map(([name, value]) => [name, String(value)]))}`
    const answer = await fetch(address)
    if (!answer.ok) throw new Error(`the server answered ${answer.status}`)
    return answer.json()
  }
  return {
    isExport: false,
    canControl: token !== null,
    runs: () => get('runs'),
    series: (runs, tag, points, steps) =>
      get('series', [
        .../** @type {[string, string][]} */ (runs.map((run) => ['run', run])),
        ['tag', tag],
        ['points', points],
        .../** @type {[string, number][]} */ (
          steps === undefined
            ? []
            : [
                ['from', steps[0]],
                ['to', steps[1]],
              ]
        ),
      ]),
    records: (run, type, tag) =>
      get('records', [
        ['run', run],
        ['type', type],
        .../** @type {[string, string][]} */ (tag === undefined ? [] : [['tag', tag]]),
      ]),
    watch: watchServer,
    async control(request) {
      const answer = await fetch('api/control', {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-galvani-token': token ?? '' },
        body: JSON.stringify(request),
      })
      const { done, error } = await answer.json()
      if (error !== undefined) throw new Error(error)
      return done
    },
    exportAddress: (run) => `api/export?${new URLSearchParams({ run })}`,
  }
}

/**
 * One stream for the page. The browser opens it again by itself, with the id of the last event, and the server sends what was missed. Where its
 * answer was an error, or nothing was heard for so long that the connection is dead, it is opened anew here, and all that is shown is stale.
 * @param {Watcher} watcher
 */
function watchServer(watcher) {
  let pause = firstPause
  let [isAnew, wasLost, lastId] = [false, false, '']
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let silence
  const open = () => {
    const stream = new EventSource('api/stream')
    const again = () => {
      stream.close()
      clearTimeout(silence)
      watcher.connection('lost')
      isAnew = true
      setTimeout(open, pause)
      pause = Math.min(longestPause, 2 * pause)
    }
    const heard = () => {
      clearTimeout(silence)
      silence = setTimeout(again, longestSilence)
    }
    /** @param {string} name @param {(data: any, number: number) => void} take */
    const on = (name, take) =>
      stream.addEventListener(name, ({ data, lastEventId }) => {
        heard()
        lastId = lastEventId
        take(JSON.parse(data), Number(lastEventId.split(':')[1] ?? 0))
      })
    stream.onopen = () => {
      heard()
      pause = firstPause
      watcher.connection('live')
      // Without an id the server cannot tell what was missed.
      if (isAnew || (wasLost && lastId === '')) watcher.stale()
      isAnew = wasLost = false
    }
    stream.onerror = () => {
      wasLost = true
      watcher.connection('lost')
      if (stream.readyState === EventSource.CLOSED) again()
    }
    on('records', watcher.records)
    on('runs', (summaries) => watcher.runs(summaries))
    on('gone', (runs) => watcher.gone(runs))
    on('stale', ({ runs }) => watcher.stale(runs))
    on('beat', () => {})
  }
  watcher.connection('connecting')
  open()
}

/**
 * @param {readonly import('../protocol.ts').ExportedRun[]} runs
 * @returns {Source}
 */
function exportSource(runs) {
  const find = /** @param {string} id */ (id) => runs.find(({ summary }) => summary.id === id)
  return {
    isExport: true,
    canControl: false,
    runs: async () => runs.map(({ summary }) => summary),
    series: async (ids, tag, _points, steps = [-Infinity, Infinity]) =>
      ids.map((id) =>
        between(
          find(id)?.series.find((series) => series.tag === tag),
          id,
          tag,
          steps,
        ),
      ),
    records: async (run, type, tag) =>
      (find(run)?.records ?? []).filter(
        (record) => record.type === type && (tag === undefined || ('tag' in record && record.tag === tag)),
      ),
    watch: (watcher) => watcher.connection('exported'),
    control: async () => '',
    exportAddress: () => null,
  }
}

/**
 * @param {Series | undefined} series
 * @param {string} run
 * @param {string} tag
 * @param {readonly [number, number]} steps
 * @returns {Series}
 */
function between(series, run, tag, [from, to]) {
  if (series === undefined) return { run, tag, step: [], epoch: [], time: [], value: [], total: 0, at: 0 }
  const isIn = /** @param {unknown} _value @param {number} i */ (_value, i) =>
    series.step[i] >= from && series.step[i] <= to
  return {
    ...series,
    step: series.step.filter(isIn),
    epoch: series.epoch.filter(isIn),
    time: series.time.filter(isIn),
    value: series.value.filter(isIn),
  }
}
