import { chromium } from "playwright-core";
import { expect, onTestFinished, test } from "vitest";
import { Application, urlOf } from "../up/application.ts";
import { browsing } from "./browsing.ts";
import { browserPath } from "./stage.ts";

browsing("the dashboard, behind tokens", () => {
  test("a browser logs in with a token, is told who it is, and logs out", async () => {
    const app = new Application();
    const token = "a-token-of-some-length";
    const tokens = [{ name: "ana", role: "viewer", token }];
    app.write(
      "flujo.config.ts",
      `export default { server: { port: 0, tokens: ${JSON.stringify(tokens)} } };`,
    );
    const url = urlOf(await app.up([]));
    const browser = await chromium.launch({ executablePath: browserPath ?? "", args: ["--no-sandbox"] });
    onTestFinished(() => browser.close());
    const page = await browser.newPage();
    await page.goto(`${url}/runs`);
    await page.waitForURL(`${url}/login`);
    await page.getByLabel("Token").fill(token);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByText("No runs yet").waitFor();

    const out = page.getByRole("button", { name: "Log out ana" });
    expect(await out.getAttribute("title")).toBe("You are ana, viewer");
    await out.click();
    await page.waitForURL(`${url}/login`);
    expect(await page.context().cookies()).toEqual([]);
    await page.goto(`${url}/runs`);
    await page.waitForURL(`${url}/login`);
  });
});
