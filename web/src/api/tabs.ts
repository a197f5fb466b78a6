/** How many tabs of this browser show this server: each holds a shared lock for as long as it lives. */
const NAME = "turnwise.tab";

// Without TLS, and not on this machine, a browser gives no locks: then every tab is for itself.
void globalThis.navigator?.locks?.request(NAME, { mode: "shared" }, () => new Promise(() => {}));

export async function tabs(): Promise<number> {
  const locks = await globalThis.navigator?.locks?.query();
  return locks?.held?.filter((lock) => lock.name === NAME).length ?? 1;
}
