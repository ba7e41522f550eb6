import { Worker } from 'node:worker_threads'

/** A worker that runs a TypeScript module: a worker does not inherit the hook that makes Node.js load one. */
export function startWorker(module: string, workerData?: unknown): Worker {
  const hook = import.meta.resolve('tsx/esm/api')
  const code = `import(${JSON.stringify(hook)}).then(({ register }) => { register(); return import(${JSON.stringify(module)}) })`
  return new Worker(code, { eval: true, workerData })
}
