import { useMemo, useRef } from "react";
import { Link } from "wouter";
import type { DialogHandle } from "../parts/dialog.tsx";
import { LetterBox } from "../parts/letter.tsx";
import { Trail } from "../parts/trail.tsx";
import { boxesOf } from "../run/drawing.ts";
import { Picture } from "../run/picture.tsx";
import { useTitle } from "../shell/title.ts";
import { usePipeline } from "./pipelines.ts";
import { StartDialog } from "./start-dialog.tsx";

const untouched = new Map<string, never>();

/** One pipeline: its picture, its runs, and how one is started. */
export default function PipelinePage({ name }: { readonly name: string }) {
  useTitle(name);
  const { data, error } = usePipeline(name);
  const starting = useRef<DialogHandle>(null);
  const boxes = useMemo(() => data && boxesOf(data.graph), [data]);
  return (
    <section className="page">
      <div className="page-head">
        <Trail steps={[{ name: "Pipelines", href: "/pipelines" }]} />
        <h1>{name}</h1>
        {data !== undefined && (
          <>
            <p className="muted small">
              version <span className="mono">{data.pipeline.fingerprint}</span>
            </p>
            <div className="end">
              <Link href={`/runs?pipeline=${encodeURIComponent(name)}`} className="button">
                Its runs
              </Link>
              <Link href={`/versions?pipeline=${encodeURIComponent(name)}`} className="button">
                Its versions
              </Link>
              <Link href={`/stats?pipeline=${encodeURIComponent(name)}`} className="button">
                Stats
              </Link>
              <button type="button" className="button primary" onClick={() => starting.current?.open()}>
                Start a run
              </button>
            </div>
            <StartDialog ref={starting} pipeline={data.pipeline} />
          </>
        )}
      </div>
      {error !== null && <LetterBox error={error} />}
      {boxes !== undefined && <Picture boxes={boxes} standing={untouched} />}
    </section>
  );
}
