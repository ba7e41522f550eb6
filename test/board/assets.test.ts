/** The files of the page: what they may name, and that they make one file. */
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { contentSecurityPolicy, pageAround, pageFiles } from '../../lib/board/assets.ts'

const files = pageFiles()
const ours = [...files].filter(([name]) => name.endsWith('.js') && name !== 'uplot.js')

describe('the files of the page', () => {
  test('are a page, its style, modules, and uPlot', () => {
    expect([...files.keys()]).toEqual(
      expect.arrayContaining(['index.html', 'style.css', 'app.js', 'uplot.js', 'uplot.css']),
    )
    expect(ours.length).toBeGreaterThan(15)
  })

  test('name no other place, not even in a comment', () => {
    for (const [name, { text }] of files)
      expect({ name, found: text.match(/\/\/[\w-]+\.\w.{0,40}/)?.[0] }).toEqual({ name, found: undefined })
  })

  test('take no markup from texts, and have no code or style in attributes', () => {
    for (const [name, { text }] of ours)
      expect({
        name,
        found: text.match(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|srcdoc/)?.[0],
      }).toEqual({ name, found: undefined })
    expect(files.get('index.html')!.text).not.toMatch(/\s(?:style|on\w+)=|<script>|<style>/)
  })

  test('are as the exported file asks: imports by name from each other, and exports that are declared where they are', () => {
    for (const [name, { text }] of ours) {
      const imports = text.match(/^import\b[\s\S]*?'\n/gm) ?? []
      for (const line of imports) {
        const [, names, from] = /^import \{([^}]*)\} from '\.\/([\w-]+\.js)'\n$/.exec(line) ?? []
        expect({ name, line, from: files.has(from!), renamed: names?.includes(' as ') }).toEqual({
          name,
          line,
          from: true,
          renamed: false,
        })
      }
      const exports = text.match(/^export\b.*/gm) ?? []
      for (const line of exports)
        expect({ name, line }).toEqual({
          name,
          line: expect.stringMatching(/^export (?:async )?(?:function|class|const) \w+/),
        })
    }
  })
})

test('the policy lets the page load its own files and ask its own server, no more', () => {
  const rules = Object.fromEntries(contentSecurityPolicy.split('; ').map((rule) => rule.split(/ (.*)/)))
  expect(rules).toMatchObject({
    'default-src': "'none'",
    'script-src': "'self'",
    'style-src': "'self'",
    'connect-src': "'self'",
    'img-src': 'data:',
  })
  expect(contentSecurityPolicy).not.toMatch(/unsafe|\*/)
})

describe('the page as one file', () => {
  const [before, after] = pageAround()
  const html = `${before}[]${after}`

  test('allows each of its scripts and styles by its hash, and connects to nothing', () => {
    const [, policy] = /<meta http-equiv="Content-Security-Policy" content="([^"]*)">/.exec(html)!
    const hashes = [...html.matchAll(/<(?:script|script type="module"|style)>([\s\S]*?)<\/(?:script|style)>/g)].map(
      ([, text]) => `'sha256-${createHash('sha256').update(text!).digest('base64')}'`,
    )
    expect(hashes.length).toBe(4)
    for (const hash of hashes) expect(policy).toContain(hash)
    expect(policy).toContain("connect-src 'none'")
    expect(policy).not.toMatch(/unsafe|'self'/)
  })

  test('names no file', () => expect(html).not.toMatch(/<link rel="stylesheet"|<script[^>]* src=/))
})
