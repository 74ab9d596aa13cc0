import { describe, expect, test } from "vitest";
import { Folder, pipelines } from "./command.ts";

const add = [
  "schedule",
  "add",
  pipelines,
  "--cron",
  "0 9 * * 1",
  "--time-zone",
  "Europe/Madrid",
  "--input",
  "ada",
];

describe("flujo schedule", () => {
  test("add says the next five ticks, by the zone's clock and in UTC", async () => {
    const { code, stdout, stderr } = await new Folder().flujo(...add);
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split("\n");
    expect(lines.length).toBe(5);
    for (const line of lines)
      expect(line).toMatch(/^ {2}Mon \d{4}-\d\d-\d\d 09:00:00 GMT\+[12] {2}\S+T0[78]:00:00Z$/);
    expect(stderr).toContain("Schedule shout: shout at 0 9 * * 1, Europe/Madrid.");
  });

  test("add --json and list --json tell all there is to know", async () => {
    const folder = new Folder();
    const added = await folder.json(...add, "--name", "mondays", "--budget", "$2", "--missed", "all");
    expect(added.document.ticks.length).toBe(5);
    const { ticks, ...view } = added.document;
    expect(view).toEqual({
      name: "mondays",
      pipeline: "shout",
      file: pipelines,
      export: "default",
      cron: "0 9 * * 1",
      timeZone: "Europe/Madrid",
      budget: { cost: "$2" },
      missed: "all",
      overlap: "allow",
      paused: false,
      createdAt: expect.stringMatching(/^\d{4}-/),
      by: expect.any(String),
      next: ticks[0],
      overdueSince: null,
      last: null,
      due: [],
      passedOver: { missed: 0, overlapping: 0 },
      lastError: null,
    });
    expect((await folder.json("schedule", "list")).document).toEqual({ schedules: [view] });
  });

  test("pause, unpause, remove", async () => {
    const folder = new Folder();
    await folder.flujo(...add);
    expect((await folder.flujo("schedule", "pause", "shout")).code).toBe(0);
    const { stdout } = await folder.flujo("schedule", "list");
    expect(stdout).toContain("Europe/Madrid  paused");
    expect(stdout).not.toContain("next");
    const unpaused = await folder.flujo("schedule", "unpause", "shout");
    expect(unpaused.stdout).toContain("09:00:00");
    expect((await folder.json("schedule", "list")).document.schedules).toMatchObject([{ paused: false }]);
    expect((await folder.flujo("schedule", "remove", "shout")).stderr).toBe("Schedule shout is removed.\n");
    const none = await folder.flujo("schedule", "list");
    expect(none.stdout).toBe("");
    expect(none.stderr).toContain("There are no schedules in sqlite:.flujo/flujo.db.");
  });

  test("run runs it now, outside of its plan, with its input", async () => {
    const folder = new Folder();
    await folder.flujo(...add);
    const { code, document } = await folder.json("schedule", "run", "shout");
    expect(code).toBe(0);
    expect(document).toMatchObject({ status: "completed", output: "ADA", pipeline: "shout" });
    expect(document.runId).toMatch(/^shout-[0-9a-f-]{36}$/);
    expect((await folder.json("schedule", "list")).document.schedules).toMatchObject([{ last: null }]);
  });

  test("run --wait stays until what it asks is answered", async () => {
    const folder = new Folder();
    await folder.flujo(...add, "--export", "asking");
    const running = folder.start(["schedule", "run", "asking", "--wait"]);
    await running.saw("/asking/approve");
    const { document } = await folder.json("inbox");
    expect((await folder.flujo("approve", document.items[0].runId)).code).toBe(0);
    expect(await running.ended).toMatchObject({ code: 0, stdout: expect.stringContaining("approved") });
  });

  test("a name that is taken is refused; --replace changes the schedule", async () => {
    const folder = new Folder();
    await folder.flujo(...add);
    const again = await folder.flujo(...add);
    expect(again.code).toBe(2);
    expect(again.stderr).toContain("there is a schedule shout in sqlite:.flujo/flujo.db already");
    const [before] = (await folder.json("schedule", "list")).document.schedules;
    const { document } = await folder.json(...add, "--overlap", "skip", "--replace");
    expect(document).toMatchObject({ ...before, overlap: "skip" });
    const { schedules } = (await folder.json("schedule", "list")).document;
    expect(schedules).toMatchObject([{ name: "shout", overlap: "skip" }]);
  });

  test.each([
    [["--cron", "0 25 * * 1"], 'cannot be read: its hour is "25"'],
    [["--cron", "0 0 31 2 *"], "has no tick any more"],
    [["--time-zone", "Europe/Madird"], 'there is no time zone "Europe/Madird"'],
    [["--name", "a b"], '"a b" is no name of a schedule'],
    [["--budget", "2"], "--budget 2 is not an amount of money"],
    [["--missed", "some"], "Allowed choices are skip, last, all"],
    [["--export", "count"], "input of /count does not fit its schema"],
    [["--store", "memory:"], "a schedule in memory: would be gone with this command"],
  ])("add is refused with %o, and nothing is kept", async (flags, why) => {
    const folder = new Folder();
    const { code, stderr } = await folder.flujo(...add, ...flags);
    expect(stderr).toContain(why);
    expect(code).toBe(2);
    expect((await folder.json("schedule", "list")).document).toEqual({ schedules: [] });
  });

  test("a name that nobody knows is an error in every command", async () => {
    const folder = new Folder();
    for (const command of ["pause", "unpause", "remove", "run"]) {
      const { code, stderr } = await folder.flujo("schedule", command, "nobody");
      expect(stderr).toContain("there is no schedule nobody");
      expect(code).toBe(2);
    }
    await folder.flujo(...add);
    expect((await folder.flujo("schedule", "pause", "shou")).stderr).toContain("there is no schedule shou");
  });
});
