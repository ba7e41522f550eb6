/** A module of the page that needs no browser. It is JavaScript that another configuration checks, so its names have no types here. */
// biome-ignore lint/suspicious/noExplicitAny: as said
export const pageModule = (name: string): Promise<any> =>
  import(new URL(`../../../lib/board/page/${name}`, import.meta.url).href)
