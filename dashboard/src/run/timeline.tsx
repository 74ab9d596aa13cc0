import { useEffect } from "react";
import { useSearchParams } from "wouter";
import { OperationPanel } from "./operation.tsx";
import { useTree } from "./tree.ts";
import { Waterfall } from "./waterfall.tsx";

/** The waterfall, and beside it the operation that was chosen. */
export function Timeline({ runId, news }: { readonly runId: string; readonly news: number }) {
  const tree = useTree(runId, news);
  const [search, setSearch] = useSearchParams();
  const chosen = search.get("at") ?? undefined;
  const { reveal } = tree;
  useEffect(() => {
    if (chosen !== undefined) reveal(chosen);
  }, [chosen, reveal]);
  const choose = (path: string | undefined): void =>
    setSearch(path === undefined ? {} : { at: path }, { replace: true });
  return (
    <div className={chosen === undefined ? "timeline" : "timeline split"}>
      <Waterfall tree={tree} chosen={chosen} onChoose={choose} />
      {chosen !== undefined && (
        <OperationPanel
          key={chosen}
          runId={runId}
          path={chosen}
          news={news}
          onClose={() => choose(undefined)}
        />
      )}
    </div>
  );
}
