import { expect, it } from "vitest";
import type { Failure } from "~/api/types";
import { thread as en } from "~/i18n/en/thread";
import { thread as zh } from "~/i18n/zh/thread";
import { cureOf } from "./failures";

const failed = (code: string) => ({ code, message: "PATCH /configs/c1" }) as Failure;

it("what can be cured on the page is said in its language", () => {
  for (const code of ["config_key_missing", "upstream_key_rejected", "upstream_model_not_found", "config_not_found", "upstream_unreachable", "upstream_timeout", "upstream_rate_limited", "context_too_long", "content_filter"]) {
    expect(cureOf(failed(code), en), code).toMatch(/^[A-Z].*\.$/);
    expect(cureOf(failed(code), zh), code).toMatch(/^\p{Script=Han}.*。$/u);
  }
});

it("of anything else the server's message tells", () => {
  for (const code of ["upstream_rejected", "upstream_error", "internal", "of_another_version", "toString"]) expect(cureOf(failed(code), en), code).toBeNull();
  expect(cureOf(null, en)).toBeNull();
});
