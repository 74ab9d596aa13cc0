import { useQuery } from "@tanstack/react-query";
import { get } from "../wire/http.ts";

/** Ends the session, where there is one: on a machine of one's own nobody logs in. */
export function LogOut() {
  const { data } = useQuery({
    queryKey: ["caller"],
    queryFn: ({ signal }) => get<{ readonly name: string | null; readonly role: string }>("/caller", signal),
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (data === undefined || data.name === null) return null;
  return (
    <form method="post" action="/logout">
      <button type="submit" className="button plain tight" title={`You are ${data.name}, ${data.role}`}>
        Log out <span className="muted">{data.name}</span>
      </button>
    </form>
  );
}
