import { useQuery } from "@tanstack/react-query";
import type { Inbox } from "../../../src/lens/inbox.ts";
import { get } from "../wire/http.ts";

/** What waits for somebody; the feed has it asked for again. */
export const useInbox = () =>
  useQuery({
    queryKey: ["inbox"],
    queryFn: ({ signal }) => get<Inbox>("/inbox", signal),
  });

/** How many questions nobody has answered. */
export const useInboxCount = (): number =>
  useInbox().data?.items.filter(({ asks, answered }) => asks !== "event" && answered === null).length ?? 0;
