import { checkUp, type QueuesFacts, type RestateFacts } from "../../dispatch/restate/checkup.ts";
import { importPackage } from "../../ports/optional-package.ts";
import { type Finding, failure, findingsOn } from "./finding.ts";

const about = findingsOn("restate");
const oldest = [1, 7] as const;

export async function restate(uri: string): Promise<Finding[]> {
  const facts = await checkUp(uri);
  const { name, ingressTrouble, queues } = facts;
  return [
    ingressTrouble === undefined
      ? about.fine(`${name}: its ingress answers`)
      : about.fault(
          `${name}: its ingress cannot be reached: ${ingressTrouble}`,
          "Check the address: restate://HOST:8080, restates:// over TLS; where it takes a token, restate://TOKEN@HOST.",
        ),
    ...admin(facts),
    ...(queues === undefined ? [] : [...calls(queues), ...places(queues)]),
    ...(await sdk()),
  ];
}

function admin({ adminTrouble, version, queues }: RestateFacts): Finding[] {
  if (adminTrouble !== undefined) {
    return [
      about.fault(
        `its admin API cannot be reached: ${adminTrouble}`,
        "Workers register there: add its port or address to the URI, ?admin=9070. To submit alone it is not needed.",
      ),
    ];
  }
  const [major = 0, minor = 0] = (version ?? "").split(".").map(Number);
  const isOld = major < oldest[0] || (major === oldest[0] && minor < oldest[1]);
  return [
    isOld
      ? about.fault(`it is version ${version ?? "unknown"}`, `Use version ${oldest.join(".")} or newer.`)
      : about.fine(`its admin API answers: version ${version}`),
    ...(queues === undefined
      ? [
          about.advice(
            "no worker has been there yet: it takes no jobs, and their runs are found in the store",
            "Start one: flujo worker --engine restate://…",
          ),
        ]
      : []),
  ];
}

function calls({ isPublic, journalRetention, idempotencyRetention }: QueuesFacts): Finding[] {
  const kept = [
    ...(isNothing(journalRetention) ? [] : [`journals for ${journalRetention}`]),
    ...(isNothing(idempotencyRetention) ? [] : [`answers for ${idempotencyRetention}`]),
  ];
  return [
    ...(isPublic
      ? []
      : [
          about.fault(
            "flujo-jobs is private: its ingress refuses jobs",
            "Make it public: restate services config patch flujo-jobs --public true, or PATCH /services/flujo-jobs of the admin API.",
          ),
        ]),
    kept.length === 0
      ? about.fine("of a call that is over it keeps nothing")
      : about.advice(
          `of each look for jobs it keeps ${kept.join(" and ")}: some each second and worker`,
          'PATCH /services/flujo-jobs of the admin API with {"journal_retention": "0s", "idempotency_retention": "0s"}.',
        ),
  ];
}

const isNothing = (duration: string): boolean => /^(PT)?0+m?s?$/i.test(duration);

const places = ({ places: all }: QueuesFacts): Finding[] =>
  all.map(({ uri, isThere }) =>
    isThere
      ? about.fine(`a worker answers at ${uri}, where Restate calls its queues`)
      : about.advice(
          `no worker answers at ${uri}, where Restate calls its queues, as far as this machine reaches it`,
          "The next worker takes its place. Where some are at work, name the address at which Restate finds them: listen=0.0.0.0:9080&at=http://HOST:9080.",
        ),
  );

/** Only workers need it. */
async function sdk(): Promise<Finding[]> {
  try {
    await importPackage("@restatedev/restate-sdk");
    return [];
  } catch (error) {
    return [failure("restate", error)];
  }
}
