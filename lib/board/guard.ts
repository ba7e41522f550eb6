/** Who may ask: pages of this machine alone, and for what changes something only who knows the token. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, open, rm } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { fileError } from '../files/file-error.ts'
import { contentSecurityPolicy } from './assets.ts'

/** The status, and what is said about it. */
export class Refusal extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** Of every answer. */
export const securityHeaders: Readonly<Record<string, string>> = {
  'content-security-policy': contentSecurityPolicy,
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
  // The token is in the address.
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
}

/**
 * A name of another machine may be made to lead here (DNS rebinding), so that its pages would count as ours: it is refused by the name. The
 * port may be another one, as it is behind a tunnel.
 */
const ownHost = /^(127\.0\.0\.1|localhost)(:\d{1,5})?$/i

/** @throws Refusal for a request by another name of this machine, or by a page of another one */
export function checkSource({ headers }: IncomingMessage): void {
  const { host, origin } = headers
  if (host === undefined || !ownHost.test(host))
    throw new Refusal(403, 'expected to be asked as 127.0.0.1 or localhost')
  if (origin !== undefined && origin.toLowerCase() !== `http://${host.toLowerCase()}`)
    throw new Refusal(403, 'expected a request of the page itself, got one of another origin')
}

/** Pages of others may link here, but not read or send anything. */
export function checkOwnPage({ headers }: IncomingMessage): void {
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none')
    throw new Refusal(403, 'expected a request of the page itself, got one of another site')
}

/** Whether two texts are the same, in a time that does not tell how much of them is. */
export function isSame(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}

const tokenForm = /^[0-9a-f]{64}$/

/**
 * The token of a folder, which it keeps in a file that its owner alone can read, so that pages stay good when a server is started again. A file
 * that others could read or have written is replaced.
 */
export async function tokenIn(op: string, path: string): Promise<string> {
  try {
    const known = await knownToken(path)
    if (known !== undefined) return known
    await rm(path, { force: true })
    const token = randomBytes(32).toString('hex')
    const file = await open(path, 'wx', 0o600)
    await writeAndClose(file, `${token}\n`)
    return token
  } catch (error) {
    throw fileError(op, 'write', path, error)
  }
}

async function knownToken(path: string): Promise<string | undefined> {
  const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)
  const file = await open(path, flags).catch(() => undefined)
  if (file === undefined) return undefined
  try {
    const { mode, uid, size } = await file.stat()
    const isOwn = process.platform === 'win32' || ((mode & 0o077) === 0 && uid === process.getuid?.())
    if (!isOwn || size > 100) return undefined
    const text = (await file.readFile('utf8')).trim()
    return tokenForm.test(text) ? text : undefined
  } finally {
    await file.close()
  }
}

async function writeAndClose(file: FileHandle, text: string): Promise<void> {
  try {
    await file.writeFile(text)
  } finally {
    await file.close()
  }
}

/** @throws Refusal for a request without the token, or where nothing can be controlled */
export function checkToken({ headers }: IncomingMessage, token: string | undefined): void {
  if (token === undefined) throw new Refusal(403, 'this page only shows: the training was not started with controls')
  const given = headers['x-galvani-token']
  if (typeof given !== 'string' || !isSame(given, token))
    throw new Refusal(403, 'expected the token of the address that the training has printed')
}
