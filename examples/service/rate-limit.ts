/** How often an address may ask: a bucket of tokens for each, of which a request takes one and time brings new ones. */

export interface Rate {
  /** Requests in a second, in the long run. */
  readonly perSecond: number
  /** Requests at once, after a rest. */
  readonly burst: number
}

interface Bucket {
  tokens: number
  /** When it had so many, in milliseconds. */
  at: number
}

/** Addresses that are known at a time: whoever has many of them is not to fill the memory. */
const mostAddresses = 10_000

/** A function that gives the seconds until an address may ask again, 0 where it may now. */
export function rateLimit({ perSecond, burst }: Rate, now = () => performance.now()): (address: string) => number {
  const buckets = new Map<string, Bucket>()
  return (address) => {
    const at = now()
    const { tokens, at: before } = buckets.get(address) ?? { tokens: burst, at }
    const left = Math.min(burst, tokens + ((at - before) / 1000) * perSecond)
    const isAllowed = left >= 1
    // Set anew, so that who asked longest ago is the first, and is forgotten first.
    buckets.delete(address)
    buckets.set(address, { tokens: isAllowed ? left - 1 : left, at })
    if (buckets.size > mostAddresses) buckets.delete(buckets.keys().next().value!)
    return isAllowed ? 0 : (1 - left) / perSecond
  }
}
