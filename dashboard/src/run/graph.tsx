import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { LetterBox } from "../parts/letter.tsx";
import { get, pathOf } from "../wire/http.ts";
import { boxesOf, boxesOfPlaces } from "./drawing.ts";
import { Picture } from "./picture.tsx";
import type { GraphAnswer } from "./wire.ts";

/** The run's pipeline as it was recorded, and how far each place of it is. */
export function Graph({ runId, news }: { readonly runId: string; readonly news: number }) {
  const { data, error, refetch } = useQuery({
    queryKey: ["graph", runId],
    queryFn: ({ signal }) => get<GraphAnswer>(`${pathOf("runs", runId)}/graph`, signal),
  });
  useEffect(() => {
    if (news > 0) refetch();
  }, [news, refetch]);
  const boxes = useMemo(
    () => data && (data.current ? boxesOf(data.graph) : boxesOfPlaces(data.places)),
    [data],
  );
  const standing = useMemo(() => new Map(data?.places.map((place) => [place.path, place])), [data]);
  if (error !== null && data === undefined) return <LetterBox error={error} />;
  if (data === undefined || boxes === undefined) return <p className="muted">Loading…</p>;
  return (
    <>
      {!data.current && (
        <p className="muted small">
          {data.graph === null
            ? "The pipeline is not served here: drawn from the version that was recorded with the run, which names places and no more."
            : "What is served here is another version: drawn from the one that was recorded with the run."}
        </p>
      )}
      <Picture boxes={boxes} standing={standing} runId={runId} />
    </>
  );
}
