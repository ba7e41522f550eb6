#!/usr/bin/env node
/**
 * The command `galvani`. Here is looked at nothing but the version of Node, in words that old ones parse; the rest is a file
 * that is loaded after that.
 */
const needed = [20, 19]
const here = process.versions.node.split('.').map(Number)

if (here[0]! > needed[0]! || (here[0] === needed[0] && here[1]! >= needed[1]!))
  import('./program.ts').then(({ main }) => main(process.argv.slice(2)))
else {
  console.error(`galvani: expected Node ${needed.join('.')} or later, got ${process.versions.node}`)
  process.exitCode = 1
}
