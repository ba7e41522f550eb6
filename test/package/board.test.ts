/** The page of runs out of the package as it is installed, where neither the sources nor uPlot are. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { pageFiles } from '../../lib/board/assets.ts'
import { named, node, places, project, root, write } from '../support/project.ts'

const asks = (open: string) => `
  const b = await ${open}('galvani/board')
  const { url, close } = await b.serveBoard('runs', { port: 0 })
  const files = {}
  for (const name of [${[...pageFiles().keys()].map((name) => `'${name}'`)}]) {
    const answer = await fetch(url + name)
    files[name] = [answer.status, answer.headers.get('content-type'), await answer.text()]
  }
  const page = await (await fetch(url)).text()
  const exported = await (await fetch(url + 'api/export?run=a')).text()
  await close()
  console.log(JSON.stringify({ files, page, exported }))`

test('every file of the page is served, and the export is made, by import and by require', async () => {
  const home = project('board', { addon: places.prebuilt })
  write(join(home, 'runs/a/events.jsonl'), '{"type":"scalars","step":1,"time":1,"values":{"loss":0.5}}\n')
  write(join(home, 'ask.mjs'), asks('((name) => import(name))'))
  write(join(home, 'ask.cjs'), `(async () => {${asks('require')}})()`)
  for (const script of ['ask.mjs', 'ask.cjs']) {
    const { out, errors } = await node([join(named('board'), script)], { cwd: home })
    expect(errors).toBe('')
    const { files, page, exported } = JSON.parse(out)
    for (const [name, { type, text }] of pageFiles()) expect(files[name], name).toEqual([200, type, text])
    expect(page).toBe(files['index.html'][2])
    expect(exported).toContain('<script type="application/json" id="galvani-export">[{"summary":{"id":"a"')
  }
})

test("uPlot's licence is among those of the package", () => {
  expect(readFileSync(join(root, 'dist/third-party-licences.txt'), 'utf8')).toMatch(/^uplot \d+\.\d+\.\d+ /m)
})
