import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { Link } from "wouter";
import type { StateStory } from "../../../src/lens/state-story.ts";
import { LetterBox } from "../parts/letter.tsx";
import { PathText } from "../parts/path-text.tsx";
import { Value } from "../parts/value.tsx";
import { get, pathOf, queryOf } from "../wire/http.ts";
import { momentText } from "../words/time.ts";
import { StateChanges } from "./state-changes.tsx";

const pageSize = 50;

/** The run's state over time: as it began, and what each step has changed. */
export function States({ runId, news }: { readonly runId: string; readonly news: number }) {
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetching } = useInfiniteQuery({
    queryKey: ["state", runId],
    queryFn: ({ pageParam: from, signal }) =>
      get<StateStory>(`${pathOf("runs", runId)}/state${queryOf({ from, limit: pageSize })}`, signal),
    initialPageParam: 0,
    getNextPageParam: ({ from, steps, total }) => (from + steps.length < total ? from + steps.length : null),
    placeholderData: keepPreviousData,
  });
  useEffect(() => {
    if (news > 0) refetch();
  }, [news, refetch]);
  if (error !== null && data === undefined) return <LetterBox error={error} />;
  const [first] = data?.pages ?? [];
  if (first === undefined) return <p className="muted">Loading…</p>;
  return (
    <div className="states">
      <section className="card">
        <h2>As the run began</h2>
        <Value of={first.first} label="State as the run began" />
      </section>
      {first.total === 0 && <p className="muted">No step has changed it.</p>}
      {data?.pages.flatMap(({ steps }) =>
        steps.map(({ seq, at, path, changes }) => (
          <section key={seq} className="card" data-changed={path}>
            <h2>
              <Link
                href={`/runs/${encodeURIComponent(runId)}?at=${encodeURIComponent(path)}`}
                className="text-link mono"
              >
                <PathText path={path} />
              </Link>{" "}
              <span className="muted small">{momentText(Date.parse(at))}</span>
            </h2>
            <StateChanges of={changes} />
          </section>
        )),
      )}
      {hasNextPage && (
        <p>
          <button type="button" className="button" disabled={isFetching} onClick={() => fetchNextPage()}>
            More changes
          </button>
        </p>
      )}
    </div>
  );
}
