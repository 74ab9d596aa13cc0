/** News from the server, as it comes. */
import { useEffect, useEffectEvent, useSyncExternalStore } from "react";

/** How the lines to the server stand: one that broke is dialled again until it is there. */
const lines = new Map<object, "open" | "broken">();
const watchers = new Set<() => void>();

function set(source: object, line: "open" | "broken" | undefined): void {
  if (line === undefined) lines.delete(source);
  else lines.set(source, line);
  for (const watcher of watchers) watcher();
}

/** Whether some line to the server is broken now. */
export const useIsBroken = (): boolean =>
  useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    () => [...lines.values()].includes("broken"),
  );

export interface Hearing {
  readonly hear: (data: unknown) => void;
  /** The server has said that nothing more comes. */
  readonly onEnd?: () => void;
  /** News may have been missed: what is shown is to be asked for again. */
  readonly onGap: () => void;
  /** How much of the time before it is open a line tells, in milliseconds. Default: all that matters. */
  readonly pastMs?: number;
}

/** How long until a line is dialled again that the server has refused. */
const redialMs = 2_000;

/**
 * Follows the events at a path of the API while the component is there. A line that breaks is dialled again by the
 * browser, which tells the server the last event it has had.
 *
 * @param path undefined: nothing is followed.
 */
export function useNews(path: string | undefined, hearing: Hearing): void {
  const hear = useEffectEvent(hearing.hear);
  const onEnd = useEffectEvent(() => hearing.onEnd?.());
  const onGap = useEffectEvent(hearing.onGap);
  const { pastMs = Number.POSITIVE_INFINITY } = hearing;
  useEffect(
    () => (path === undefined ? undefined : dial(path, { hear, onEnd, onGap, pastMs })),
    [path, pastMs],
  );
}

function dial(path: string, { hear, onEnd, onGap, pastMs }: Required<Hearing>): () => void {
  let redial: ReturnType<typeof setTimeout> | undefined;
  let source: EventSource;
  const close = (): void => {
    clearTimeout(redial);
    source.close();
    set(source, undefined);
  };
  let wasBroken = false;
  let wasOpen = false;
  const open = (): void => {
    source = new EventSource(`/api/v1${path}`);
    source.addEventListener("open", () => {
      set(source, "open");
      // One that had heard nothing yet cannot say from where on it missed something; the page may have begun before what it tells.
      if (wasBroken || (!wasOpen && performance.now() > pastMs)) onGap();
      wasBroken = false;
      wasOpen = true;
    });
    source.addEventListener("message", ({ data }: MessageEvent<string>) => hear(JSON.parse(data)));
    source.addEventListener("end", () => {
      close();
      onEnd();
    });
    source.addEventListener("error", () => {
      set(source, "broken");
      wasBroken = true;
      if (source.readyState !== EventSource.CLOSED) return;
      redial = setTimeout(() => {
        close();
        open();
      }, redialMs);
    });
  };
  open();
  return close;
}
