import type { Ref } from "react";
import { Sign } from "../parts/status.tsx";
import type { Filter } from "./runs.ts";

const statuses = ["running", "waiting", "halted", "failed", "completed", "cancelled"] as const;

export function FilterBar({
  ref,
  filter,
  onChange,
}: {
  readonly ref: Ref<HTMLInputElement>;
  readonly filter: Filter;
  readonly onChange: (filter: Filter) => void;
}) {
  return (
    <search className="filter-bar">
      <input
        ref={ref}
        className="input mono"
        type="search"
        value={filter.id ?? ""}
        placeholder="Search: the beginning of a run's id  /"
        aria-label="Runs whose id begins so"
        onChange={({ target }) => onChange({ ...filter, id: target.value || undefined })}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          event.preventDefault(); // which would empty it
          event.currentTarget.blur();
        }}
      />
      <fieldset className="chips">
        <legend className="unseen">Status</legend>
        <Chip
          name="all"
          isOn={filter.status === undefined}
          onPress={() => onChange({ ...filter, status: undefined })}
        />
        {statuses.map((status) => (
          <Chip
            key={status}
            name={status}
            isOn={filter.status === status}
            onPress={() => onChange({ ...filter, status })}
          />
        ))}
      </fieldset>
      <button
        type="button"
        className={filter.trials === undefined ? "chip on" : "chip"}
        aria-pressed={filter.trials === undefined}
        title="Runs that experiments make, one for each trial of a case"
        onClick={() => onChange({ ...filter, trials: filter.trials === undefined ? "shown" : undefined })}
      >
        without trials
      </button>
      {filter.pipeline !== undefined && (
        <button
          type="button"
          className="chip on"
          onClick={() => onChange({ ...filter, pipeline: undefined })}
        >
          of {filter.pipeline}
          <span className="unseen">, show all pipelines</span>
          <span aria-hidden="true">×</span>
        </button>
      )}
    </search>
  );
}

function Chip({
  name,
  isOn,
  onPress,
}: {
  readonly name: string;
  readonly isOn: boolean;
  readonly onPress: () => void;
}) {
  return (
    <button type="button" className={isOn ? "chip on" : "chip"} aria-pressed={isOn} onClick={onPress}>
      {name !== "all" && <Sign status={name} />}
      {name}
    </button>
  );
}
