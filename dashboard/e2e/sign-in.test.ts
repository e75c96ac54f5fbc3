/** Signing in and out. */
import { expect, it } from "vitest";
import { openGate } from "./gate.mjs";
import { isReal } from "./shop";
import { flaws, panel, visits } from "./visit";

const { shop, guarded, open } = visits();
const refused = /status of 401/;
const NUMBERS = "[data-testid=orders]";

it("asks for the token, says when it is wrong, and then shows the page that was asked for", async () => {
  const { url, token } = await guarded();
  const page = await open({ url, query: "?view=tables&table=day&period=7", shows: "form", expected: refused });
  expect(await page.evaluate(() => document.activeElement?.getAttribute("type"))).toBe("password");
  await page.keyboard.press("Enter");
  await page.getByText("Enter the token first.").waitFor();
  await page.keyboard.type("guess");
  await page.keyboard.press("Enter");
  await page.getByText("That is not the token.").waitFor();
  const field = page.getByLabel("Token");
  expect(await field.getAttribute("aria-invalid")).toBe("true");
  expect(await field.evaluate((element) => element === document.activeElement)).toBe(true);
  // The wrong one is selected, so that typing replaces it.
  await page.keyboard.type(token);
  await page.keyboard.press("Enter");
  await page.waitForSelector("main table tbody tr");
  expect(page.url()).toContain("table=day&period=7");
  expect(await page.locator("form").count()).toBe(0);
});

it("signs out, and leaves no number on the page", async () => {
  const { url, token } = await guarded();
  const page = await open({ url, shows: "form", expected: refused });
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForSelector(NUMBERS);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.waitForSelector("form");
  expect(await page.locator(NUMBERS).count()).toBe(0);
  await page.reload();
  await page.waitForSelector("form");
});

it("shows the form when a session ends while the page is open", async () => {
  const { url, token } = await guarded();
  const page = await open({ url, shows: "form", expected: refused });
  await page.getByLabel("Token").fill(token);
  await page.getByLabel("Token").press("Enter");
  await page.waitForSelector(NUMBERS);
  await page.context().clearCookies();
  // Whichever list is asked for first is refused.
  await page.evaluate(() => {
    window.history.pushState(null, "", "/?view=tables&table=rejected");
    window.dispatchEvent(new PopStateEvent("popstate"));
  });
  await page.waitForSelector("form");
});

it.runIf(!isReal)("shows the form when the service comes back with another token after an outage", async () => {
  const here = await shop({ days: 10 });
  const gate = await openGate(here.url);
  const page = await open({ url: gate.url, shows: NUMBERS, expected: refused });
  // Nothing is on its way any more that would be refused by itself.
  await panel(page, "Latest corrections").locator("li").first().waitFor();
  await page.getByTestId("proof").waitFor();
  await page.waitForTimeout(2_000);
  gate.shut();
  await page.waitForSelector("[data-trust=lost]");
  // Asked while nothing answers, and not answered.
  await page.waitForTimeout(500);
  if (here.mock) here.mock.door.token = "another";
  gate.reopen();
  await page.waitForSelector("form");
  await gate.close();
});

it("is not there where no token is needed, nor where the service has no sessions", async () => {
  const here = await shop({ days: 10 });
  const page = await open({ url: here.url, shows: NUMBERS });
  expect(await page.getByRole("button", { name: "Sign out" }).count()).toBe(0);
  const old = await open({ url: here.url, shows: NUMBERS, expected: /status of 404/ });
  await old.route(/api\/v1\/session/, (route) => route.fulfill({ status: 404, body: "{}" }));
  await old.reload();
  await old.waitForSelector(NUMBERS);
  expect(await old.locator("form").count()).toBe(0);
  await old.unrouteAll();
});

it("says so when the service does not answer, and when it takes no more attempts", async () => {
  const { url, token } = await guarded();
  const page = await open({ url, shows: "form", expected: /status of (401|429)/ });
  let status: number | null = null;
  await page.route(/api\/v1\/session/, (route) => (status === null ? route.abort() : route.fulfill({ status, body: "{}" })));
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("The service does not answer.").waitFor();
  status = 429;
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("takes no more attempts for now").waitFor();
  await page.unrouteAll();
});

it.each([
  { colorScheme: "light", locale: "en-GB", width: 1280 },
  { colorScheme: "dark", locale: "fr-FR", width: 320 },
] as const)("has nothing that axe finds: $colorScheme, $locale, $width", async ({ width, ...rest }) => {
  const { url } = await guarded();
  const page = await open({ url, shows: "form", expected: refused, viewport: { width, height: 800 }, ...rest });
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.querySelector("[role=alert]")?.textContent !== "");
  expect(await flaws(page)).toEqual([]);
});
