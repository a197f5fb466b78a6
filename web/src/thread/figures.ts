/** What is known of an answer in numbers. Pure. */
import type { Timing, Usage } from "~/api/types";

/** Whether an upstream counted anything: one that failed early did not. */
export const counted = (usage: Usage | null): usage is Usage => !!usage && usage.prompt_tokens + usage.completion_tokens > 0;
export const timed = (timing: Timing | null): timing is Timing => !!timing && timing.total_ms > 0;
