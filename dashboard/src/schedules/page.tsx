import { useQuery } from "@tanstack/react-query";
import { useRef } from "react";
import type { ScheduleView } from "../../../src/schedules/view.ts";
import type { DialogHandle } from "../parts/dialog.tsx";
import { Empty } from "../parts/empty.tsx";
import { LetterBox } from "../parts/letter.tsx";
import { useTitle } from "../shell/title.ts";
import { get } from "../wire/http.ts";
import { countOf } from "../words/time.ts";
import { AddDialog } from "./add-dialog.tsx";
import { ScheduleCard } from "./schedule-card.tsx";
import "../styles/schedules.css";

/** How often they are asked for: a tick is no news of a run until its run has begun. */
const askAgainMs = 5_000;

/** What runs by itself, and when. */
export default function SchedulesPage() {
  useTitle("Schedules");
  const addition = useRef<DialogHandle>(null);
  const { data, error } = useQuery({
    queryKey: ["schedules"],
    queryFn: ({ signal }) => get<{ readonly schedules: readonly ScheduleView[] }>("/schedules", signal),
    refetchInterval: askAgainMs,
  });
  return (
    <section className="page">
      <div className="page-head">
        <h1>Schedules</h1>
        <p className="muted">{data !== undefined && countOf(data.schedules.length, "schedule")}</p>
        <div className="end">
          <button type="button" className="button primary" onClick={() => addition.current?.open()}>
            Add a schedule
          </button>
        </div>
      </div>
      {error !== null && <LetterBox error={error} />}
      {data?.schedules.length === 0 && (
        <Empty title="Nothing runs by itself" text="A schedule starts a run at each of its ticks:">
          <pre className="command">
            flujo schedule add report.ts --cron '0 9 * * 1' --time-zone Europe/Madrid
          </pre>
        </Empty>
      )}
      <div className="schedules">
        {data?.schedules.map((schedule) => (
          <ScheduleCard key={schedule.name} schedule={schedule} />
        ))}
      </div>
      <AddDialog ref={addition} />
    </section>
  );
}
