import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "wouter";
import type { Dead, Undelivered, Waiting } from "../../../src/events/undelivered.ts";
import { Empty } from "../parts/empty.tsx";
import { Ago } from "../parts/figures.tsx";
import { LetterBox } from "../parts/letter.tsx";
import { useTitle } from "../shell/title.ts";
import { get, pathOf, post } from "../wire/http.ts";
import "../styles/outbox.css";

const askAgainMs = 5_000;

/** What sinks have not been told yet, and what they did not take. */
export default function OutboxPage() {
  useTitle("Outbox");
  const { data, error } = useQuery({
    queryKey: ["outbox"],
    queryFn: ({ signal }) => get<Undelivered>("/outbox", signal),
    refetchInterval: askAgainMs,
  });
  const isEmpty = data?.waiting.length === 0 && data.dead.length === 0;
  return (
    <section className="page">
      <div className="page-head">
        <h1>Outbox</h1>
      </div>
      {error !== null && <LetterBox error={error} />}
      {isEmpty && (
        <Empty
          title="Everything is delivered"
          text="What webhooks, Slack or email were not told yet, or did not take, stands here. Sinks are named in flujo.config.ts."
        />
      )}
      {data !== undefined && data.dead.length > 0 && (
        <section className="card">
          <h2>Not taken</h2>
          <ul className="letters">
            {data.dead.map((dead) => (
              <DeadLetter key={dead.id} dead={dead} />
            ))}
          </ul>
        </section>
      )}
      {data !== undefined && data.waiting.length > 0 && (
        <section className="card">
          <h2>On its way</h2>
          <ul className="letters">
            {data.waiting.map((one) => (
              <OnItsWay key={`${one.sink} ${one.runId}`} one={one} />
            ))}
          </ul>
        </section>
      )}
    </section>
  );
}

function DeadLetter({ dead }: { readonly dead: Dead }) {
  const { id, sink, runId, type, path, attempts, at, why } = dead;
  const client = useQueryClient();
  const { mutate, error, isPending } = useMutation({
    mutationFn: (act: "resend" | "drop") => post(`${pathOf("outbox", id)}/${act}`, {}),
    onSettled: () => client.invalidateQueries({ queryKey: ["outbox"] }),
  });
  return (
    <li>
      <p>
        <strong>{type}</strong> of <RunLink runId={runId} /> <code>{path}</code> to <strong>{sink}</strong>,{" "}
        <Ago at={at} />, tried {attempts} times
      </p>
      <p className="muted said">{why}</p>
      {error !== null && <LetterBox error={error} />}
      <p className="form-end">
        <button type="button" className="button tight" disabled={isPending} onClick={() => mutate("resend")}>
          Send again
        </button>
        <button
          type="button"
          className="button tight danger"
          disabled={isPending}
          onClick={() => mutate("drop")}
        >
          Drop
        </button>
      </p>
    </li>
  );
}

function OnItsWay({ one }: { readonly one: Waiting }) {
  const { sink, runId, seq, attempts, why, dueAt } = one;
  return (
    <li>
      <p>
        Events of <RunLink runId={runId} /> from number {seq} on, to <strong>{sink}</strong>
        {attempts > 0 && `: tried ${attempts} times`}
        {dueAt !== null && (
          <>
            , next <Ago at={dueAt} />
          </>
        )}
      </p>
      {why !== null && <p className="muted said">{why}</p>}
    </li>
  );
}

function RunLink({ runId }: { readonly runId: string }) {
  return (
    <Link href={`/runs/${encodeURIComponent(runId)}`} className="text-link mono">
      {runId}
    </Link>
  );
}
