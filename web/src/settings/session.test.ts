import { expect, test } from "vitest";
import { ApiError } from "~/api/client";
import { problemOf, refusalOf } from "./session";

test.each([
  ["", "keyMissing"],
  ["sk-abc", "keyShape"],
  ["tw_a b", "keyShape"],
  ["tw_密钥", "keyShape"],
  ["tw_abc-DEF_1", null],
])("the key %o: %s", (key, problem) => expect(problemOf(key)).toBe(problem));

test.each([
  [401, "keyWrong"],
  [429, "tooMany"],
  [0, "unreachable"],
  [503, "unreachable"],
  [409, "refused"],
])("a refusal with %i is %s", (status, word) => expect(refusalOf(new ApiError(status, "x", "x"))).toBe(word));

test("what is no answer of the server is not hidden", () => expect(() => refusalOf(new TypeError("bug"))).toThrow("bug"));
