/** A list of which only the rows on screen exist, walked with keys. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { useRef } from "react";

/** Rows beyond the edges that exist as well. */
const overscan = 12;

export function useRows(count: number, rowHeight: number) {
  const box = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count,
    getScrollElement: () => box.current,
    estimateSize: () => rowHeight,
    overscan,
  });
  return { box, rows };
}
