/** The bytes of requests with one row each, as a client sends them. */
import { uniforms } from '../../test/support/tape.ts'

export type Format = 'binary' | 'JSON'

/** Of the Open Inference Protocol, for a model that is called `net`. */
export function requestOf(shape: readonly number[], format: Format): Buffer {
  const uniform = uniforms(7)
  const row = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, uniform)
  const input = { name: 'input', shape: [1, ...shape], datatype: 'FP32' }
  if (format === 'JSON') {
    const inputs = [{ ...input, data: Array.from(row, (x) => Number(x.toFixed(4))) }]
    return httpRequest(Buffer.from(JSON.stringify({ inputs })), { 'content-type': 'application/json' })
  }
  const bytes = Buffer.from(row.buffer)
  const inputs = [{ ...input, parameters: { binary_data_size: bytes.length } }]
  const json = Buffer.from(JSON.stringify({ inputs, parameters: { binary_data_output: true } }))
  return httpRequest(Buffer.concat([json, bytes]), {
    'content-type': 'application/octet-stream',
    'inference-header-content-length': String(json.length),
  })
}

function httpRequest(body: Buffer, headers: Readonly<Record<string, string>>): Buffer {
  const all = { host: '127.0.0.1', ...headers, 'content-length': String(body.length) }
  const lines = ['POST /v2/models/net/infer HTTP/1.1', ...Object.entries(all).map((pair) => pair.join(': '))]
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), body])
}
