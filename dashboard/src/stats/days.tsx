import type { DayStats } from "../../../src/lens/stats.ts";
import { Count, Money } from "../parts/figures.tsx";
import { partOf, picoOf } from "../words/money.ts";

/** Days that are drawn: the last ones. */
const mostDays = 31;
const good = ["completed"] as const;
const bad = ["failed", "halted", "cancelled"] as const;
const open = ["running", "waiting"] as const;

/** Runs and costs day by day: bars to look at, and the same as a table for who reads. */
export function Days({ of }: { readonly of: readonly DayStats[] }) {
  const days = of.slice(-mostDays);
  const most = Math.max(1, ...days.map(({ runs }) => runs));
  const dearest = days.reduce(
    (a, { spent: { costUsd } }) => (picoOf(costUsd) > picoOf(a) ? costUsd : a),
    "0",
  );
  return (
    <section className="card">
      <h2>By day</h2>
      <div className="day-chart" aria-hidden="true">
        {days.map(({ day, runs, statuses, spent }) => {
          const sum = (some: readonly (keyof typeof statuses)[]): number =>
            some.reduce((all, status) => all + statuses[status], 0);
          return (
            <div key={day} className="day" title={`${day}: ${runs} runs, $${spent.costUsd}`}>
              <div className="day-runs">
                <span className="day-bad" style={{ height: `${(sum(bad) / most) * 100}%` }} />
                <span className="day-open" style={{ height: `${(sum(open) / most) * 100}%` }} />
                <span className="day-good" style={{ height: `${(sum(good) / most) * 100}%` }} />
              </div>
              <div className="day-cost">
                <span style={{ height: `${partOf(spent.costUsd, dearest) * 100}%` }} />
              </div>
              <span className="day-name">{day.slice(5)}</span>
            </div>
          );
        })}
      </div>
      <p className="legend small muted" aria-hidden="true">
        <span className="key day-good" /> completed <span className="key day-open" /> under way or waiting{" "}
        <span className="key day-bad" /> failed, halted or cancelled <span className="key day-price" /> what
        they cost
      </p>
      <details>
        <summary>As a table</summary>
        <div className="scrolled">
          <table className="figures-table">
            <thead>
              <tr>
                <th scope="col">Day</th>
                <th scope="col">Runs</th>
                <th scope="col">Completed</th>
                <th scope="col">Cost</th>
              </tr>
            </thead>
            <tbody>
              {days.map(({ day, runs, statuses, spent }) => (
                <tr key={day}>
                  <th scope="row">{day}</th>
                  <td>
                    <Count n={runs} name={`stats.day.runs ${day}`} />
                  </td>
                  <td>
                    <Count n={statuses.completed} name={`stats.day.completed ${day}`} />
                  </td>
                  <td>
                    <Money usd={spent.costUsd} name={`stats.day.cost ${day}`} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </section>
  );
}
