import { useIsBroken } from "../wire/live.ts";

/** Says that what is on screen may be old, while it is. */
export function Connection() {
  const isBroken = useIsBroken();
  return (
    <div role="status" className={isBroken ? "connection" : "unseen"}>
      {isBroken &&
        "The server does not answer. What you see may be old; it is asked again every few seconds."}
    </div>
  );
}
