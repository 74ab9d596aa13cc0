/**
 * Seeds that once broke a promise, and why. They are simulated with every change. A seed stands for a pipeline and its
 * faults only as long as what draws them stays the same; each cause has a test of its own, too.
 */
export const keptSeeds: readonly { readonly seed: number; readonly because: string }[] = [
  { seed: 4, because: "a process that lost its lease was told of an interruption, not of the loss" },
  { seed: 5, because: "a commit that failed at the entrance was told as an interruption" },
  { seed: 15, because: "the listed cost left out what was settled in the same commit" },
  { seed: 16, because: "a resumed run looked into the cache again and recorded a finished step twice" },
  { seed: 31, because: "the budget around a sequence was refilled by a resume" },
  { seed: 32, because: "a fork at a later attempt of an agent shared what came of that attempt" },
  { seed: 64, because: "a fork at the check of a sequence's result did the sequence again" },
  { seed: 79, because: "as 31, inside the items of a map" },
  { seed: 152, because: "the call of a place that was over was not cut off when a halted run's grace ended" },
  { seed: 167, because: "a fork at a tool's call made another one again that had ended before it" },
  { seed: 310, because: "a chain of fallbacks went on at its last one" },
  {
    seed: 326,
    because: "a body that waited for another one's call was stopped by what had stopped that one",
  },
  { seed: 359, because: "a reservation was released after the entry that ended the run" },
  { seed: 911, because: "a resumed run took the second fallback where it had taken the first" },
  { seed: 1056, because: "a fork tried again to undo what the other run could not" },
  { seed: 2175, because: "which item of a map failed first, and so how the run ended, was left to timing" },
  { seed: 2361, because: "a call outlived its timeout because its step had been stopped before" },
  { seed: 2411, because: "as 326, without any fault" },
  { seed: 2495, because: "a step was announced after the entry that ended the run" },
  {
    seed: 11160,
    because: "a call whose place had failed held its money for an hour, and others waited for it",
  },
  { seed: 13649, because: "as 11160, behind a collected failure" },
];
