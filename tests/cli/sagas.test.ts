import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Folder, pipelines } from "./command.ts";

const run = (name: string) => ["run", pipelines, "--export", name, "--input", "seat 4", "--run-id", "r"];
const unbooked = (folder: Folder): string => readFileSync(join(folder.path, "unbooked"), "utf8");

describe("a run that fails", () => {
  test("says what it has undone, and that it is over; so does flujo lens show", async () => {
    const folder = new Folder();
    folder.write("bank-open", "");
    const { code, stderr } = await folder.flujo(...run("doomed"));
    expect(code).toBe(1);
    expect(stderr).toContain("back   the run has failed: what it has done is undone");
    expect(stderr).toContain("undone /doomed/book");
    expect(stderr).toContain("start a new run");
    expect(stderr).toMatch(/Run r failed \(.*\), and 1 place is undone\./);
    expect(unbooked(folder)).toBe("seat 4\n");
    const { stdout } = await folder.flujo("lens", "show", "r");
    expect(stdout).toContain("undone    /doomed/book");
    expect(stdout).toContain("✔ /doomed/book@undo  compensation");
    expect((await folder.flujo("resume", "r")).code).toBe(1);
    expect(unbooked(folder)).toBe("seat 4\n");
  });

  test("names what it could not undo; resuming it tries again", async () => {
    const folder = new Folder();
    const { stderr } = await folder.flujo(...run("doomed"));
    expect(stderr).toContain(
      "Not undone: /doomed/book (/doomed/book@undo/unbook failed: Error: the bank is closed)",
    );
    expect(stderr).toContain("1 not. To try those again: flujo resume r");
    folder.write("bank-open", "");
    expect((await folder.flujo("resume", "r")).stderr).toContain("and 1 place is undone.");
    expect(unbooked(folder)).toBe("seat 4\n");
  });
});

describe("flujo cancel", () => {
  test("undoes with the pipeline the run came from", async () => {
    const folder = new Folder();
    folder.write("bank-open", "");
    expect((await folder.flujo(...run("trip"))).code).toBe(3);
    const { code, stderr } = await folder.flujo("cancel", "r");
    expect([code, stderr]).toEqual([0, expect.stringContaining("and 1 place is undone.")]);
    expect(unbooked(folder)).toBe("seat 4\n");
    expect((await folder.json("lens", "show", "r")).document.run).toMatchObject({
      status: "cancelled",
      undone: { places: ["/trip/book"], left: [] },
    });
  });

  test("without the pipeline leaves the run to whoever has it", async () => {
    const folder = new Folder();
    folder.write("bank-open", "");
    await folder.flujo(...run("trip"));
    const { code, stderr } = await folder.flujo("cancel", "r", "--file", "gone.ts");
    expect([code, stderr]).toEqual([2, expect.stringContaining("is undone first")]);
    expect((await folder.json("lens", "show", "r")).document.run.status).toBe("running");
    expect((await folder.flujo("resume", "r")).stderr).toContain("Run r is cancelled");
    expect(unbooked(folder)).toBe("seat 4\n");
  });
});
