import { expect, test } from "vitest";
import { nameOf, openStore } from "./stores.ts";

test("the password of a store's URI is in no message", async () => {
  expect(nameOf("redis://:secret@localhost:6379/0")).toBe("redis://@localhost:6379/0");
  expect(nameOf("postgres://me:secret@db/app?schema=jobs")).toBe("postgres://me@db/app?schema=jobs");
  expect(nameOf("redis://localhost:6379/0?prefix=a@b")).toBe("redis://localhost:6379/0?prefix=a@b");
  expect(nameOf("sqlite:C:/runs@home.db")).toBe("sqlite:C:/runs@home.db");
  await expect(openStore("redi://me:secret@localhost")).rejects.toThrow(
    '"redi://me@localhost" names no store',
  );
});
