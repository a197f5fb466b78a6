import { expect, test, vi } from "vitest";
import { api } from "~/api/client";
import type { Session } from "~/api/types";
import { loadMore, sorted, useList, withoutGone } from "./list";

vi.mock("~/api/client", async (original) => ({ ...(await original<typeof import("~/api/client")>()), api: { GET: vi.fn() } }));

const session = (id: string, rest: Partial<Session> = {}) => ({ id, active_at: "2026-03-01", pinned: false, archived: false, ...rest }) as Session;
const byId = (...all: Session[]) => Object.fromEntries(all.map((one) => [one.id, one]));

test("pinned sessions stand first, then the newest; of the archived none", () => {
  const all = byId(session("old"), session("new", { active_at: "2026-03-02" }), session("pinned", { pinned: true }), session("gone", { archived: true }));
  expect(sorted(all, false).map(({ id }) => id)).toEqual(["pinned", "new", "old"]);
  expect(sorted(all, true).map(({ id }) => id)).toEqual(["gone"]);
});

test("after a gap those go that should have come with the first page and did not", () => {
  const [gone, last, older, kept] = [session("gone", { active_at: "5" }), session("last", { active_at: "3" }), session("older", { active_at: "1" }), session("kept", { active_at: "6" })];
  const before = byId(gone, last, older, kept);
  const now = { ...before, ...byId(session("last", { active_at: "3" }), session("kept", { active_at: "6" }), session("new", { active_at: "7" })) };
  expect(Object.keys(withoutGone(before, now, "last")).sort()).toEqual(["kept", "last", "new", "older"]);
  expect(Object.keys(withoutGone(before, now, null)).sort()).toEqual(["kept", "last", "new"]);
});

test("the archive is asked for though the other list is still on its way", async () => {
  const GET = vi.mocked(api.GET as unknown as (path: string, asked: { params: { query: { archived: boolean } } }) => Promise<unknown>);
  const empty = { data: { data: [], has_more: false }, response: new Response() };
  GET.mockImplementation((_, { params: { query } }) => (query.archived ? Promise.resolve(empty) : new Promise(() => undefined)));
  void loadMore("active");
  await loadMore("archived");
  expect(useList.getState().pages).toEqual({ active: { next: undefined, state: "loading" }, archived: { next: null, state: "idle" } });
});
