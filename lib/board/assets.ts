/** The files of the page: where they are, what is said of them, and all of them in one file. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { expected } from '../base/errors.ts'
import { packageRoot } from '../base/package-root.ts'

export interface PageFile {
  /** The value of `Content-Type`. */
  readonly type: string
  readonly text: string
}

const types: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
}

/** Under which name the page asks for what is uPlot's. */
const ofUplot: Readonly<Record<string, string>> = { 'uplot.js': 'uPlot.iife.min.js', 'uplot.css': 'uPlot.min.css' }

/** What the page may do where it is served: nothing but load its own files, ask its own server, and show images that it holds. */
export const contentSecurityPolicy = policy("'self'", "'self'", "'self'", "frame-ancestors 'none'")

function policy(scripts: string, styles: string, connections: string, ...more: string[]): string {
  return [
    "default-src 'none'",
    `script-src ${scripts}`,
    `style-src ${styles}`,
    `connect-src ${connections}`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    ...more,
  ].join('; ')
}

/**
 * The files of the page by the paths that it asks for them under, `index.html` being that of the folder itself. A checkout has them in lib and
 * node_modules, the package all together in dist, where the build puts what this function gave it.
 */
export function pageFiles(): ReadonlyMap<string, PageFile> {
  const root = packageRoot()
  if (root === undefined)
    throw new Error(expected('board', 'to be in the folder of the package', 'code that was bundled'))
  const sources = join(root, 'lib', 'board', 'page')
  const inCheckout = existsSync(sources)
  const folder = inCheckout ? sources : join(root, 'dist', 'page')
  const files = new Map<string, PageFile>()
  const add = (name: string, text: string) => {
    const type = types[name.slice(name.lastIndexOf('.') + 1)]
    if (type !== undefined) files.set(name, { type, text })
  }
  for (const name of readdirSync(folder)) add(name, readFileSync(join(folder, name), 'utf8'))
  if (inCheckout) for (const [name, file] of Object.entries(ofUplot)) add(name, uplotFile(root, file))
  return files
}

/** Without its first comment, which has an address; the licence is among the package's notices. */
function uplotFile(root: string, name: string): string {
  const manifest = createRequire(join(root, 'package.json')).resolve('uplot/package.json')
  return readFileSync(join(manifest, '..', 'dist', name), 'utf8').replace(/^\/\*![^*]*\*\/\s*/, '')
}

/**
 * The page as one HTML file that holds runs and needs no server, what stands in it before and behind their JSON (a list of `ExportedRun`, in which
 * no `<` may be): scripts and styles in the place of what names them, which are allowed by their hashes alone. The JSON is not executed.
 */
export function pageAround(): [before: string, after: string] {
  const files = pageFiles()
  const text = (name: string) => files.get(name)!.text
  const styles = ['uplot.css', 'style.css'].map(text)
  const scripts = [text('uplot.js'), oneModule('app', text)].map(endless)
  const hashes = (texts: readonly string[]) =>
    texts.map((text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`).join(' ')
  const head = [
    `<meta http-equiv="Content-Security-Policy" content="${policy(hashes(scripts), hashes(styles), "'none'")}">`,
    ...styles.map((text) => `<style>${text}</style>`),
    '<script type="application/json" id="galvani-export">',
  ]
  const tail = ['</script>', `<script>${scripts[0]}</script>`, `<script type="module">${scripts[1]}</script>`]
  const [before, after] = text('index.html').split(/<!-- files -->[\s\S]*?<!-- end of files -->/) as [string, string]
  return [before + head.join('\n'), tail.join('\n') + after]
}

/** Nothing in a script ends its element: within strings, regular expressions and templates `\x3c` would do, but there is no such text in ours. */
function endless(script: string): string {
  if (/<\/script|<!--/i.test(script)) throw new Error('internal: a script of the page would end its element')
  return script
}

const importOf = /^import (?:\{([^}]*)\} from )?'\.\/([\w-]+)\.js'\n/gm
const exportOf = /^export (?=(?:async )?(?:function|class|const|let) (\w+))/gm

/**
 * Modules as one, those that are imported first: each is a function that gives its exports. Imports are of names, from modules of the page, and what
 * is exported is declared there and never set anew, to which test/board/assets.test.ts holds them.
 */
function oneModule(entry: string, text: (name: string) => string): string {
  const parts = new Map<string, string>()
  const variable = (name: string) => `module_${name.replaceAll('-', '_')}`
  const visit = (name: string) => {
    if (parts.has(name)) return
    parts.set(name, '')
    const source = text(`${name}.js`)
    for (const [, , imported] of source.matchAll(importOf)) visit(imported!)
    const body = source
      .replace(importOf, (_, names: string | undefined, from: string) => `const {${names ?? ''}} = ${variable(from)}\n`)
      .replace(exportOf, '')
    const exports = [...source.matchAll(exportOf)].map(([, exported]) => exported)
    // Set anew, so that it stands behind what it imports.
    parts.delete(name)
    parts.set(name, `const ${variable(name)} = (() => {\n${body}\nreturn { ${exports.join(', ')} }\n})()`)
  }
  visit(entry)
  return [...parts.values()].join('\n')
}
