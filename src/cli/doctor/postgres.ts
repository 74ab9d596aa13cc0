import { checkUp, type DatabaseFacts, hears } from "../../stores/postgres/checkup.ts";
import { settingsOf } from "../../stores/postgres/settings.ts";
import { clock } from "./clock.ts";
import { type Finding, findingsOn } from "./finding.ts";

const about = findingsOn("postgres");
const oldest = 13;

export async function postgres(uri: string): Promise<Finding[]> {
  const settings = settingsOf(uri, {});
  const { result: facts, finding } = await clock(about, () => checkUp(settings));
  const version = `${Math.trunc(facts.version / 10_000)}.${facts.version % 10_000}`;
  const tables =
    facts.format === undefined ? "no tables yet: the first run makes them" : `format ${facts.format}`;
  return [
    facts.version < oldest * 10_000
      ? about.fault(`${settings.name} is PostgreSQL ${version}`, `Use version ${oldest} or newer.`)
      : about.fine(`${settings.name} answers: PostgreSQL ${version}; ${tables}`),
    finding,
    ...persistence(facts, settings.durability),
    ...habits(facts),
    ...access(facts, settings.connections),
    news(facts.isStandby ? undefined : await hears(settings)),
  ].filter((one) => one !== undefined);
}

function news(isHeard: boolean | undefined): Finding | undefined {
  if (isHeard === undefined) return undefined;
  return isHeard
    ? about.fine("LISTEN hears what is told by NOTIFY: what comes about is seen at once")
    : about.advice(
        "LISTEN hears nothing: processes look once a second instead",
        "A pooler that hands out connections by transaction stands before it. Add the server's own address to the URI: listen=postgres%3A%2F%2F…, or listen=off.",
      );
}

function persistence(facts: DatabaseFacts, durability: "synced" | "relaxed"): Finding[] {
  const remedy = "In postgresql.conf: fsync = on, full_page_writes = on.";
  const wrong = [
    ...(facts.fsync
      ? []
      : [about.fault("fsync is off: a crash of the machine may destroy the database", remedy)]),
    ...(facts.fullPageWrites
      ? []
      : [about.fault("full_page_writes is off: a crash of the machine may damage pages", remedy)]),
  ];
  if (wrong.length > 0) return wrong;
  return durability === "relaxed"
    ? [
        about.advice(
          "durability=relaxed: a crash may undo the last fraction of a second",
          "Take it out of the URI where no call may be paid twice.",
        ),
      ]
    : [about.fine("fsync and full_page_writes are on: what is acknowledged survives power loss")];
}

/** What the database does that most do not. */
function habits({ encoding, isolation }: DatabaseFacts): Finding[] {
  return [
    ...(encoding === "UTF8"
      ? []
      : [
          about.fault(
            `the database keeps texts as ${encoding}, which cannot hold all of them`,
            "Name one that keeps them as UTF8: createdb --encoding UTF8 --template template0 NAME",
          ),
        ]),
    ...(isolation === "read committed"
      ? []
      : [
          about.advice(
            `default_transaction_isolation is ${isolation}: each statement takes three journeys, to say that it wants another one`,
            "ALTER ROLE … SET default_transaction_isolation = 'read committed', for the user in the URI.",
          ),
        ]),
  ];
}

function access(facts: DatabaseFacts, wanted: number): Finding[] {
  const { isStandby, hasTransactions, mostConnections, connections } = facts;
  const free = mostConnections - connections;
  return [
    ...(isStandby
      ? [about.fault("it is a standby, which takes no writes", "Name the primary in the URI.")]
      : []),
    hasTransactions
      ? about.fine("it keeps a connection for the length of a transaction")
      : about.fault(
          "a pooler in statement mode stands before it: shared budgets take transactions",
          "Set the pooler's mode to transaction or session, or go past it.",
        ),
    free < wanted
      ? about.advice(
          `${connections} of its ${mostConnections} connections are taken, and each process may want ${wanted}`,
          "Raise max_connections, put a pooler in transaction mode before it, or lower ?connections= in the URI.",
        )
      : about.fine(`${connections} of its ${mostConnections} connections are taken`),
  ];
}
