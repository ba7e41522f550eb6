/** The live page of runs, as `galvani/board`. */
export { type Board, type ServeBoardOptions, serveBoard } from './server.ts'
