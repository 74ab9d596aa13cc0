import { Link, useRoute } from "wouter";
import { useInboxCount } from "../inbox/inbox.ts";
import icon from "./icon.svg";
import { LogOut } from "./log-out.tsx";
import { nextTheme, useTheme } from "./theme.ts";

/** The pages of the menu, in its order; the number keys go there. */
export const places = [
  { href: "/runs", name: "Runs" },
  { href: "/inbox", name: "Inbox" },
  { href: "/compare", name: "Compare" },
  { href: "/pipelines", name: "Pipelines" },
  { href: "/experiments", name: "Experiments" },
  { href: "/stats", name: "Stats" },
  { href: "/schedules", name: "Schedules" },
  { href: "/budgets", name: "Budgets" },
  { href: "/outbox", name: "Outbox" },
] as const;

export function Sidebar({ onHelp }: { readonly onHelp: () => void }) {
  const theme = useTheme();
  const waiting = useInboxCount();
  return (
    <header className="sidebar">
      <Link href="/runs" className="brand">
        <img src={icon} width="30" height="30" alt="" />
        <span>flujo</span>
      </Link>
      <nav aria-label="Pages">
        <ul>
          {places.map(({ href, name }) => (
            <li key={href}>
              <Place href={href} name={name} count={href === "/inbox" ? waiting : 0} />
            </li>
          ))}
        </ul>
      </nav>
      <div className="sidebar-end">
        <LogOut />
        <button type="button" className="button plain tight" onClick={nextTheme}>
          Theme: {theme}
        </button>
        <button type="button" className="button plain tight" onClick={onHelp}>
          Keys <kbd>?</kbd>
        </button>
      </div>
    </header>
  );
}

function Place({
  href,
  name,
  count,
}: {
  readonly href: string;
  readonly name: string;
  readonly count: number;
}) {
  const [isHere] = useRoute(`${href}/*?`);
  return (
    <Link href={href} className="place" aria-current={isHere ? "page" : undefined}>
      {name}
      {count > 0 && (
        <span className="badge">
          {count}
          <span className="unseen"> waiting</span>
        </span>
      )}
    </Link>
  );
}
