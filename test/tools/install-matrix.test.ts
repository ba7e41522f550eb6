/** What the install matrix takes for a trained network, and where its table stands. */
import { describe, expect, test } from 'vitest'
import { lineOf, tableOf, withTable } from '../../tools/testing/install-matrix/report.ts'
import { checkXor } from '../../tools/testing/xor.ts'

const report = { backend: 'native', isa: 'avx2', outputs: '0110', loss: 0.0002, bits: '0123456789abcdef' }
const lines = (...reports: object[]) => `a warning\n${reports.map((report) => JSON.stringify(report)).join('\n')}\n`

describe('a report', () => {
  test('is found in what was printed, once or more', () => {
    expect(checkXor(lines(report))).toEqual(report)
    expect(checkXor(lines(report, report))).toEqual(report)
  })

  test.each([
    ['none', 'Killed\n', 'expected a report, got Killed'],
    ['an error', lines({ error: 'Error: no' }), 'got {"error":"Error: no"}'],
    ['another backend', lines({ ...report, backend: 'reference' }), 'trained by the native backend, got {'],
    ['a network that has not learnt', lines({ ...report, outputs: '0111' }), 'expected a network trained'],
    ['a great loss', lines({ ...report, loss: 0.1 }), 'expected a network trained'],
    ['a second one that failed', lines(report, { ...report, loss: null }), 'expected a network trained'],
    ['two with other bits', lines(report, { ...report, bits: '0' }), 'expected the same bits'],
  ])('is refused: %s', (_, text, message) => expect(() => checkXor(text)).toThrow(message))
})

describe('the table', () => {
  const result = {
    report,
    installSeconds: 1.234,
    runSeconds: 0.5,
    bytes: 10_710_000,
    group: 'runtimes',
    title: 'Bun 1',
  }

  test('has a line for each row', () => {
    expect(lineOf({ ...result, note: 'as a zip' })).toBe('| runtimes | Bun 1 (as a zip) | 1.2 s | 0.5 s |')
    expect(tableOf([result, result], 3_300_000)).toMatch(
      /^\d{4}-\d\d-\d\d, .*, avx2\), .*; tarball 3\.3 MB, installed 10\.7 MB\.\n\n(\|.*\|\n){3}\|.*\|$/,
    )
  })

  test('takes the place of the last one in a page', () => {
    const page = 'above\n\n<!-- install matrix -->\nold\n<!-- end of the install matrix -->\nbelow\n'
    const written = withTable(page, 'new')
    expect(written).toBe('above\n\n<!-- install matrix -->\n\nnew\n\n<!-- end of the install matrix -->\nbelow\n')
    expect(withTable(written, 'new')).toBe(written)
    expect(() => withTable('a page', 'new')).toThrow('expected <!-- install matrix --> and')
  })
})
