/** The live page of runs, as `galvani/board`. */
export { type BoardOptions, board } from './callback.ts'
export { type Board, type ServeBoardOptions, serveBoard } from './server.ts'
