import type { ExperimentLine } from "../../../src/evals/views/view.ts";

/** Experiments that are drawn: the last ones. */
const mostDrawn = 40;

/** The scores of experiments over time, each with its interval. The list below says the same to who reads. */
export function History({ of }: { readonly of: readonly ExperimentLine[] }) {
  const newest = of.find(({ score }) => score !== null);
  if (newest === undefined) return null;
  // Scores of other datasets, or of other scorers, are of another scale.
  const drawn = of
    .flatMap((line) => (line.score !== null && isAlike(line, newest) ? [{ ...line, score: line.score }] : []))
    .slice(0, mostDrawn)
    .reverse();
  if (drawn.length < 2) return null;
  const floor = Math.floor(Math.min(...drawn.map(({ score }) => score.low)) * 10) / 10;
  const ceiling = Math.ceil(Math.max(...drawn.map(({ score }) => score.high)) * 10) / 10;
  const at = (score: number): string => `${((score - floor) / Math.max(0.1, ceiling - floor)) * 100}%`;
  return (
    <section className="card" aria-hidden="true">
      <h2>
        {newest.pipeline} on {newest.dataset.name}
      </h2>
      <div className="history">
        <div className="history-scale muted">
          <span>{ceiling.toFixed(1)}</span>
          <span>{floor.toFixed(1)}</span>
        </div>
        {drawn.map(({ name, score }) => (
          <div
            key={name}
            className="history-one"
            title={`${name}: ${score.mean.toFixed(3)}, ${score.low.toFixed(3)} to ${score.high.toFixed(3)}`}
          >
            <div className="history-column">
              <span
                className="history-range"
                style={{ bottom: at(score.low), top: `calc(100% - ${at(score.high)})` }}
              />
              <span className="history-mean" style={{ bottom: at(score.mean) }} />
            </div>
            <span className="day-name">{name}</span>
          </div>
        ))}
      </div>
      <p className="legend small muted">
        Each dot is a mean score; its bar is the interval that holds the true one in 95 of a hundred
        experiments.
      </p>
    </section>
  );
}

const isAlike = (a: ExperimentLine, b: ExperimentLine): boolean =>
  a.pipeline === b.pipeline &&
  a.dataset.name === b.dataset.name &&
  a.scorers.join("\n") === b.scorers.join("\n");
