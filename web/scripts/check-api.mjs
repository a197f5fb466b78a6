// Fails when the generated client is not what openapi.json says.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const web = fileURLToPath(new URL("..", import.meta.url));
const made = execFileSync("npx", ["openapi-typescript", "../openapi.json", "--alphabetize", "--default-non-nullable", "false"], { cwd: web, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
const kept = readFileSync(`${web}src/api/schema.d.ts`, "utf8");
if (made.trim() !== kept.trim()) {
  console.error("web/src/api/schema.d.ts is stale: run `npm run api` in web/ and commit the result.");
  process.exit(1);
}
