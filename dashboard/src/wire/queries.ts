import { QueryClient } from "@tanstack/react-query";
import { Letter } from "./http.ts";

/** Answers are kept while they are looked at; news makes them fresh, not the clock. */
export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      retry: (failures, error) =>
        failures < 2 && error instanceof Letter && (error.status === 0 || error.status >= 500),
      networkMode: "always",
    },
    mutations: { networkMode: "always" },
  },
});
