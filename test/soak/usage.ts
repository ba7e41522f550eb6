/** How much memory work leaves behind. */

const kinds = ['rss', 'heapUsed', 'external', 'arrayBuffers'] as const
type Usage = Record<(typeof kinds)[number], number>

const mebibyte = 2 ** 20
/** What a round may leave by the allocators' habits. A leak leaves it in each round. */
const allowed: Usage = {
  rss: 24 * mebibyte,
  heapUsed: 2 * mebibyte,
  external: 2 * mebibyte,
  arrayBuffers: 2 * mebibyte,
}

/** Of what nobody holds any more, all is let go of: finalizers run behind the collection, in turns of the event loop. */
async function usage(): Promise<Usage> {
  for (let i = 0; i < 4; i++) {
    globalThis.gc!()
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  return process.memoryUsage()
}

/** What grows in each of four rounds of the work, in words; undefined where nothing does. */
export async function growthOf(work: () => void | Promise<void>): Promise<string | undefined> {
  await work()
  let before = await usage()
  let growing: readonly (typeof kinds)[number][] = kinds
  const grown: string[] = []
  for (let round = 0; round < 4 && growing.length > 0; round++) {
    await work()
    const after = await usage()
    growing = growing.filter((kind) => after[kind] - before[kind] > allowed[kind])
    grown.push(growing.map((kind) => `${kind} ${((after[kind] - before[kind]) / mebibyte).toFixed(1)} MiB`).join(', '))
    before = after
  }
  return growing.length > 0 ? grown.join('; ') : undefined
}
