/** What is known of an answer in numbers. Pure. */
import type { Timing, Usage } from "~/api/types";

/** Whether an upstream counted anything: one that failed early did not. */
export const counted = (usage: Usage | null): usage is Usage => !!usage && usage.prompt_tokens + usage.completion_tokens > 0;
export const timed = (timing: Timing | null): timing is Timing => !!timing && timing.total_ms > 0;
/** How long the answer itself took: its wait in line is not the model's. */
export const answeringMs = ({ total_ms, queued_ms }: Timing): number => Math.max(0, total_ms - queued_ms);
