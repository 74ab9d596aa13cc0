import { useMutation } from "@tanstack/react-query";
import { useLocation } from "wouter";
import { post } from "../wire/http.ts";

/** Asks for a new run, by what `requestOf` makes of what was chosen, and goes to it. */
export function useNewRun<Choice>(path: string, requestOf: (choice: Choice) => object) {
  const [, go] = useLocation();
  return useMutation({
    mutationFn: (choice: Choice) => post<{ readonly runId: string }>(path, requestOf(choice)),
    onSuccess: ({ runId }) => go(`/runs/${encodeURIComponent(runId)}`),
  });
}
