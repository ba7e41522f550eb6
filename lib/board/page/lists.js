// Lists by what their items have in common.

/**
 * Items in lists by a key, in the order in which they came.
 * @template Item
 * @param {Iterable<Item>} items
 * @param {(item: Item) => string} key
 * @returns {Map<string, Item[]>}
 */
export function groupedBy(items, key) {
  /** @type {Map<string, Item[]>} */
  const groups = new Map()
  for (const item of items) {
    const known = groups.get(key(item))
    if (known === undefined) groups.set(key(item), [item])
    else known.push(item)
  }
  return groups
}
