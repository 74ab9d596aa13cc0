import { Link } from "wouter";
import { Count, Money } from "../parts/figures.tsx";
import { Sign } from "../parts/status.tsx";
import "../styles/picture.css";
import { type Box, statusOf } from "./drawing.ts";
import type { PlaceStanding } from "./wire.ts";

interface PictureProps {
  readonly boxes: readonly Box[];
  readonly standing: ReadonlyMap<string, PlaceStanding>;
  /** Boxes lead to their operations in this run. */
  readonly runId?: string;
}

/** A pipeline as boxes that are read from the top, branches side by side: lists within lists, so that ears can walk it, too. */
export function Picture(props: PictureProps) {
  const [root, ...others] = props.boxes;
  const isWhole = root !== undefined && others.length === 0 && root.kind === "pipeline"; // the page says its name already
  const boxes = isWhole ? root.lines.flatMap((line) => line.boxes) : props.boxes;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls has to be reached with keys
    <div className="picture" role="region" aria-label="Graph of the pipeline" tabIndex={0}>
      <Boxes {...props} boxes={boxes} />
    </div>
  );
}

function Boxes({ boxes, isAcross, ...rest }: PictureProps & { readonly isAcross?: boolean }) {
  return (
    <ol className={isAcross ? "boxes across" : "boxes"}>
      {boxes.map((box) => (
        <li key={box.path} className={box.fallbacks.length > 0 ? "with-fallbacks" : ""}>
          <Shape box={box} {...rest} />
          {box.fallbacks.map((line) => (
            <div key={line[0]?.path} className="fallback">
              <span className="line-name">if it fails</span>
              <Boxes boxes={line} {...rest} isAcross />
            </div>
          ))}
        </li>
      ))}
    </ol>
  );
}

function Shape({ box, standing, ...rest }: Omit<PictureProps, "boxes"> & { readonly box: Box }) {
  const { path, lines } = box;
  const status = statusOf(box, standing);
  const label = <Label box={box} place={standing.get(path)} status={status} />;
  const goal = leadsTo(rest.runId, path, status);
  const head =
    goal === undefined ? (
      <div className="box-head">{label}</div>
    ) : (
      <Link href={goal} className="box-head">
        {label}
      </Link>
    );
  return (
    <div
      className={`box ${lines.length > 0 ? "holds" : ""} ${status ?? "untouched"}`}
      data-place={path}
      data-status={status}
    >
      {head}
      {lines.length > 0 && (
        <div className="lines">
          {lines.map((line) => (
            <div key={line.name} className="line">
              {line.name !== "" && <span className="line-name">{line.name}</span>}
              <Boxes boxes={line.boxes} standing={standing} {...rest} isAcross />
            </div>
          ))}
        </div>
      )}
    </div>
  );
}

/** A place that many items share has no single operation to show. */
const leadsTo = (runId: string | undefined, path: string, status: string | undefined): string | undefined =>
  runId === undefined || status === undefined || path.includes("[]")
    ? undefined
    : `/runs/${encodeURIComponent(runId)}?at=${encodeURIComponent(path)}`;

function Label({
  box,
  place,
  status,
}: {
  readonly box: Box;
  readonly place: PlaceStanding | undefined;
  readonly status: string | undefined;
}) {
  const { name, kind, models, qualifiers, path } = box;
  const all = Object.values(place?.operations ?? {}).reduce((sum, n) => sum + n, 0);
  return (
    <>
      <span className="box-name">
        {status !== undefined && <Sign status={status} />}
        <strong>{name}</strong>
        {status !== undefined && <span className="unseen">{status}</span>}
      </span>
      <span className="box-about">
        {[kind, ...models].filter((text) => text !== "").join(" · ")}
        {qualifiers.map((text) => (
          <span key={text} className="mark slate">
            {text}
          </span>
        ))}
      </span>
      {place !== undefined && (all > 1 || place.costUsd !== "0") && (
        <span className="box-figures">
          {all > 1 && (
            <span>
              <Count n={place.operations.completed ?? 0} name={`graph.completed ${path}`} /> of{" "}
              <Count n={all} name={`graph.all ${path}`} /> done
            </span>
          )}
          {place.costUsd !== "0" && <Money usd={place.costUsd} name={`graph.cost ${path}`} />}
        </span>
      )}
    </>
  );
}
