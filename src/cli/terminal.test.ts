import { expect, test } from "vitest";
import { printable, redact } from "./terminal.ts";

test("secrets of the environment are replaced by their names, other values are not", () => {
  const env = {
    OPENAI_API_KEY: "sk-1234567890",
    DB_PASSWORD: "hunter2hunter2",
    SHORT_KEY: "abc",
    HOME: "/home/somebody",
  };
  expect(redact("sk-1234567890 hunter2hunter2 abc /home/somebody", env)).toBe(
    "[OPENAI_API_KEY] [DB_PASSWORD] abc /home/somebody",
  );
});

test("control characters from outside cannot move the cursor or colour the screen", () => {
  expect(printable("\x1b[2J\x07a\tb\nc\x9b")).toBe("\\x1b[2J\\x07a\tb\nc\\x9b");
});
