import { checkUp, type JobsFacts } from "../../dispatch/pg-boss/checkup.ts";
import { importPackage } from "../../ports/optional-package.ts";
import { type Finding, findingsOn } from "./finding.ts";

const about = findingsOn("pg-boss");
const oldest = 13;
const schema = "flujo_jobs";

export async function pgBoss(uri: string): Promise<Finding[]> {
  await importPackage("pg-boss");
  const facts = await checkUp(uri, schema);
  const version = `${Math.trunc(facts.version / 10_000)}.${facts.version % 10_000}`;
  return [
    facts.version < oldest * 10_000
      ? about.fault(`its database is PostgreSQL ${version}`, `Use version ${oldest} or newer.`)
      : about.fine(`its database answers: PostgreSQL ${version}`),
    ...(facts.isStandby
      ? [about.fault("it is a standby, which takes no jobs", "Name the primary in the URI.")]
      : [tables(facts), news(facts)]),
  ].filter((one) => one !== undefined);
}

function tables({ format, ownFormat, mayMake, mayWrite, user }: JobsFacts): Finding {
  if (mayWrite === undefined) {
    return mayMake
      ? about.fine(`no tables yet: the first worker makes them, in the schema ${schema}`)
      : about.fault(
          `no tables yet, and ${user} may not make them`,
          `GRANT CREATE ON DATABASE … TO ${user}, for the first start; or CREATE SCHEMA ${schema} AUTHORIZATION ${user}.`,
        );
  }
  if (!mayWrite) {
    return about.fault(
      `${user} may not write the tables in the schema ${schema}`,
      `GRANT USAGE ON SCHEMA ${schema} TO ${user}; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema} TO ${user}; and EXECUTE ON ALL FUNCTIONS in it.`,
    );
  }
  if (format === undefined || ownFormat === undefined || format === ownFormat)
    return about.fine(`its tables are of form ${format}, and may be written`);
  if (format > ownFormat) {
    return about.fault(
      `its tables are of form ${format}, and the pg-boss that is installed knows ${ownFormat}`,
      "npm install pg-boss@latest, here and where workers run.",
    );
  }
  return mayMake
    ? about.advice(
        `its tables are of form ${format}: the next worker brings them to ${ownFormat}, which older ones may not know`,
        "Update pg-boss in all workers and wherever runs are submitted.",
      )
    : about.fault(
        `its tables are of form ${format}, the pg-boss that is installed needs ${ownFormat}, and ${user} may not change them`,
        `Start one worker as the owner of the schema ${schema}, or let ${user} own it.`,
      );
}

const news = ({ hears }: JobsFacts): Finding | undefined => {
  if (hears === undefined) return undefined;
  return hears
    ? about.fine("LISTEN hears what is told by NOTIFY: a waiting worker takes a job at once")
    : about.advice(
        "LISTEN hears nothing: workers look for jobs twice a second instead",
        "A pooler that hands out connections by transaction stands before it. Add the server's own address to the URI: listen=postgres%3A%2F%2F…, or listen=off.",
      );
};
