import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/shell.css";
import "./styles/parts.css";
import { Frame } from "./shell/frame.tsx";
import { wearTheme } from "./shell/theme.ts";
import { queries } from "./wire/queries.ts";

wearTheme();
createRoot(document.getElementById("root") as HTMLElement /* stands in index.html */).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <Frame />
    </QueryClientProvider>
  </StrictMode>,
);
