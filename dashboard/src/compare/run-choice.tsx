import { useQuery } from "@tanstack/react-query";
import { useId, useState } from "react";
import type { RunsPage } from "../runs/runs.ts";
import { get, queryOf } from "../wire/http.ts";

/** A field for a run's id, which offers those that begin as what is typed. */
export function RunChoice({
  label,
  chosen,
  onChoose,
}: {
  readonly label: string;
  readonly chosen: string;
  readonly onChoose: (runId: string) => void;
}) {
  const [text, setText] = useState(chosen);
  const id = useId();
  const { data } = useQuery({
    queryKey: ["offered", text],
    queryFn: ({ signal }) => get<RunsPage>(`/runs${queryOf({ idPrefix: text, limit: 20 })}`, signal),
  });
  return (
    <form
      className="field"
      onSubmit={(event) => {
        event.preventDefault();
        onChoose(text.trim());
      }}
    >
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        className="mono"
        list={`${id}list`}
        value={text}
        placeholder="its id"
        onChange={({ target }) => {
          setText(target.value);
          if (data?.runs.some(({ runId }) => runId === target.value)) onChoose(target.value);
        }}
        onBlur={() => text.trim() !== chosen && onChoose(text.trim())}
      />
      <datalist id={`${id}list`}>
        {data?.runs.map(({ runId, pipeline, status }) => (
          <option key={runId} value={runId}>
            {pipeline}, {status}
          </option>
        ))}
      </datalist>
    </form>
  );
}
