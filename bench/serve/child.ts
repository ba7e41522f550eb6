/** The other end of a `Peer`: a process that answers its parent. */

export type Answer = { readonly answer: unknown } | { readonly error: string }

export function answerParent(answer: (question: never) => unknown): void {
  process.on('message', async (question) => {
    try {
      process.send!({ answer: await answer(question as never) } satisfies Answer)
    } catch (error) {
      process.send!({ error: (error as Error).stack ?? String(error) } satisfies Answer)
    }
  })
  process.once('disconnect', () => process.exit())
}
