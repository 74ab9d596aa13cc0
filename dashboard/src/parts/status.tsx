/** How a run or an operation stands: a sign of its own shape for each, since not everybody tells the colours apart. */

const signs: { readonly [status: string]: readonly [tone: string, word: string] } = {
  completed: ["teal", "completed"],
  running: ["blue", "running"],
  waiting: ["amber", "waiting"],
  failed: ["red", "failed"],
  halted: ["violet", "halted"],
  cancelled: ["slate", "cancelled"],
  stopped: ["slate", "stopped"],
};

export function Status({ status }: { readonly status: string }) {
  const [tone, word] = signs[status] ?? ["slate", status];
  return (
    <span className={`status ${tone}`} data-status={status}>
      <Sign status={status} />
      {word}
    </span>
  );
}

/** The sign alone; whoever uses it says the word as well. */
export function Sign({ status }: { readonly status: string }) {
  const [tone] = signs[status] ?? ["slate"];
  return (
    <svg className={`sign ${tone} ${status}`} viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
      {shapeOf(status)}
    </svg>
  );
}

function shapeOf(status: string) {
  switch (status) {
    case "completed":
      return <circle cx="6" cy="6" r="4.5" fill="currentColor" />;
    case "waiting":
      return <circle cx="6" cy="6" r="4" fill="none" stroke="currentColor" strokeWidth="2.4" />;
    case "running":
      return (
        <>
          <circle cx="6" cy="6" r="4.3" fill="none" stroke="currentColor" strokeWidth="2" opacity="0.3" />
          <path
            d="M6 1.7 A4.3 4.3 0 0 1 10.3 6"
            fill="none"
            stroke="currentColor"
            strokeWidth="2"
            strokeLinecap="round"
          />
        </>
      );
    case "failed":
      return <path d="M6 0.8 L11.2 6 L6 11.2 L0.8 6 Z" fill="currentColor" />;
    case "halted":
      return <path d="M2 1.5 H5 V10.5 H2 Z M7 1.5 H10 V10.5 H7 Z" fill="currentColor" />;
    default:
      return <path d="M1.5 5 H10.5 V7 H1.5 Z" fill="currentColor" />;
  }
}
