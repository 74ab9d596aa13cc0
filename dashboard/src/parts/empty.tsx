import type { ReactNode } from "react";

/** What stands where there is nothing yet: why, and how something comes to be there. */
export function Empty({
  title,
  text,
  children,
}: {
  readonly title: string;
  readonly text: string;
  readonly children?: ReactNode;
}) {
  return (
    <div className="empty">
      <svg viewBox="0 0 132 52" width="132" height="52" aria-hidden="true">
        <path d="M14 26 C 28 -2, 46 -2, 60 26 S 96 54, 110 26" />
        <circle cx="14" cy="26" r="8" />
        <circle cx="60" cy="26" r="8" />
        <circle cx="110" cy="26" r="7" />
      </svg>
      <h2>{title}</h2>
      <p className="muted">{text}</p>
      {children}
    </div>
  );
}
