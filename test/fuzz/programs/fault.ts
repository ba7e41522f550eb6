/** What no case should show. */
export class Fault extends Error {}
