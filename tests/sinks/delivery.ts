/** One event as a sink is handed it: the end of a run. */
export const delivery = {
  ...{ id: "evt_1", runId: "r", pipeline: "greet", facts: {}, costUsd: "0.5", attempt: 1 },
  event: {
    type: "run-completed",
    seq: 1,
    at: "2030-01-01T00:00:00.000Z",
    path: "/",
    output: 1,
    from: 0,
  } as const,
};
