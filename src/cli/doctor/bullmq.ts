import { importPackage } from "../../ports/optional-package.ts";
import { checkUp, type ServerFacts } from "../../stores/redis/checkup.ts";
import { settingsOf } from "../../stores/redis/settings.ts";
import { type Finding, findingsOn } from "./finding.ts";

const about = findingsOn("bullmq");

export async function bullmq(uri: string): Promise<Finding[]> {
  await Promise.all(["bullmq", "ioredis"].map((name) => importPackage(name)));
  const settings = settingsOf(uri, { prefix: "flujo-jobs" }); // whose keys its user may read
  const facts = await checkUp(settings);
  return [
    about.fine(`${settings.address.shown} answers: version ${facts.version ?? "unknown"}`),
    ...(facts.role === "slave"
      ? [about.fault("it is a replica, which takes no jobs", "Name the primary in the URI.")]
      : []),
    memory(facts),
    persistence(facts),
  ];
}

/** Jobs never expire by themselves, and what says which worker has one does: neither may be thrown away. */
function memory({ eviction, memory: most }: ServerFacts): Finding {
  const remedy =
    "Set maxmemory-policy noeviction: then it refuses jobs while it is full, and their runs wait in the store.";
  if (eviction === undefined)
    return about.advice("it does not say what it throws away when its memory is full", remedy);
  if (eviction === "noeviction") return about.fine("maxmemory-policy noeviction: it throws no job away");
  const what = eviction.startsWith("volatile-") ? "the locks of workers that live" : "jobs";
  return most === 0
    ? about.advice(`maxmemory-policy ${eviction}: with a limit of memory it would throw ${what} away`, remedy)
    : about.fault(`maxmemory-policy ${eviction}: when its memory is full it throws ${what} away`, remedy);
}

function persistence({ log, sync, pictures }: ServerFacts): Finding {
  const remedy =
    "Their runs are found in the store, 15 seconds later. In redis.conf: appendonly yes, appendfsync everysec.";
  if (log === undefined)
    return about.advice(
      "it does not say how it keeps what it is told",
      "Let the user read CONFIG GET, or ask whoever runs the server.",
    );
  if (log)
    return about.fine(`appendonly yes, appendfsync ${sync ?? "unknown"}: it keeps its jobs when it stops`);
  const loss = pictures ? "jobs since the last picture of it" : "all jobs";
  return about.advice(`appendonly no: when it stops, ${loss} are lost`, remedy);
}
