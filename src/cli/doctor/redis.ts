import { checkUp, hears, type ServerFacts } from "../../stores/redis/checkup.ts";
import { durabilityOf, mayForget } from "../../stores/redis/keeping.ts";
import { settingsOf } from "../../stores/redis/settings.ts";
import { clock } from "./clock.ts";
import { type Finding, findingsOn } from "./finding.ts";

const about = findingsOn("redis");

export async function redis(uri: string): Promise<Finding[]> {
  const settings = settingsOf(uri, {});
  const { result: facts, finding } = await clock(about, () => checkUp(settings));
  const stores =
    facts.format === undefined ? "no store yet: the first run makes it" : `format ${facts.format}`;
  return [
    about.fine(`${settings.name} answers: version ${facts.version ?? "unknown"}; ${stores}`),
    finding,
    role(facts),
    persistence(facts),
    memory(facts),
    replicas(facts),
    (await hears(settings))
      ? about.fine("what is published is heard: what comes about is seen at once")
      : about.advice(
          "nothing that is published is heard: processes look once a second instead",
          `Let the user publish and subscribe: ACL SETUSER NAME &{${settings.prefix}}:*`,
        ),
  ].filter((one) => one !== undefined);
}

const role = ({ role }: ServerFacts): Finding | undefined =>
  role === "slave"
    ? about.fault("it is a replica, which takes no writes", "Name the primary in the URI.")
    : undefined;

const set = "In redis.conf: appendonly yes, appendfsync always; or by CONFIG SET, then CONFIG REWRITE.";

function persistence(facts: ServerFacts): Finding {
  const { log, sync, pauses, pictures } = facts;
  if (durabilityOf(facts) === "synced")
    return about.fine("appendfsync always: what is acknowledged survives power loss");
  if (log === undefined)
    return about.advice(
      "it does not say how it keeps what it is told",
      "Let the user read CONFIG GET, or ask whoever runs the server: docs/scale.md says what each setting loses.",
    );
  if (log && sync === "always" && pauses)
    return about.advice(
      "no-appendfsync-on-rewrite yes: while it writes its log anew, nothing is synced",
      "In redis.conf: no-appendfsync-on-rewrite no.",
    );
  if (log)
    return about.advice(
      `appendfsync ${sync ?? "unknown"}: a power failure may undo the last seconds of what was acknowledged`,
      `Where no call may be paid twice: appendfsync always. ${set}`,
    );
  const loss = pictures ? "all since the last picture of it" : "everything";
  return about.fault(`appendonly no: when the server stops, ${loss} is lost`, set);
}

function memory(facts: ServerFacts): Finding {
  const { eviction, memory: most } = facts;
  if (mayForget(facts)) {
    return about.fault(
      `maxmemory-policy ${eviction}: when its memory is full it throws journals away`,
      "Set maxmemory-policy noeviction, or use a server that is no cache.",
    );
  }
  if (eviction === undefined)
    return about.advice(
      "it does not say what it throws away when its memory is full",
      "Make sure that its maxmemory-policy is noeviction.",
    );
  return about.fine(
    most === 0 ? "no limit of memory is set" : `maxmemory-policy ${eviction}: it throws no journal away`,
  );
}

const replicas = ({ replicas }: ServerFacts): Finding | undefined =>
  replicas
    ? about.advice(
        `${replicas} replicating: if one takes over, it lacks what it had not received yet`,
        "Nothing undoes that; min-replicas-to-write 1 with a small min-replicas-max-lag makes it less.",
      )
    : undefined;
