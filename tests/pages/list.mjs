// list.mjs URL EMAIL PASSWORD PATH: logs in, opens the list of issues at PATH and works through it by keyboard, then without
// JavaScript. The list has at least four unresolved issues, the newest one with at least two events.
//
// Prints {listed, selected, searching, keys, resolved: {listed, notice, address}, older, copied, dark, plain, shift, problems}.
import { logIn, main, open } from "./browser.mjs";

const [url, email, password, path] = process.argv.slice(2);
if (!path) throw new Error("usage: list.mjs URL EMAIL PASSWORD PATH");
const address = new URL(path, url).href;

const listed = (page) => page.locator(".row-link").allInnerTexts();
const press = async (page, ...keys) => {
    for (const key of keys) await page.keyboard.press(key);
};
/** Presses a key that leads to another page. */
const go = async (page, key) => {
    const gone = page.waitForEvent("load");
    await page.keyboard.press(key);
    await gone;
};
/** How much moved by itself since the page was loaded (Cumulative Layout Shift). */
const shift = (page) =>
    page.evaluate(
        () =>
            new Promise((resolve) => {
                let sum = 0;
                const seen = new PerformanceObserver((list) => {
                    for (const entry of list.getEntries()) if (!entry.hadRecentInput) sum += entry.value;
                });
                seen.observe({ type: "layout-shift", buffered: true });
                requestAnimationFrame(() => setTimeout(() => resolve(sum), 200));
            }),
    );

await main(async (browser) => {
    const page = await open(browser, { permissions: ["clipboard-read", "clipboard-write"] });
    await logIn(page, url, email, password);
    await page.goto(address);
    const result = { listed: await listed(page), shift: { list: await shift(page) } };

    await press(page, "j", "x", "j", "x");
    result.selected = await page.locator(".bulk-count").innerText();
    await press(page, "/");
    result.searching = await page.evaluate(() => document.activeElement.name);
    await press(page, "Escape", "?");
    result.keys = await page.locator("dialog#keys").isVisible();
    await press(page, "Escape");
    await go(page, "r");
    result.resolved = {
        listed: await listed(page),
        notice: await page.locator(".notice").innerText(),
        address: page.url().replace(url, ""),
    };

    await page.goto(new URL("?query=is:resolved", address).href);
    await press(page, "j");
    await go(page, "o");
    result.shift.issue = await shift(page);
    await go(page, "[");
    result.older = await page.locator("aside h2 .num").last().innerText();
    await press(page, "c");
    await page.locator("[data-key=c].done").waitFor();
    result.copied = await page.evaluate(() => navigator.clipboard.readText());

    await page.locator(".menu summary").click();
    await Promise.all([page.waitForEvent("load"), page.locator(".menu [value=dark]").click()]);
    result.dark = await page.evaluate(() => [document.documentElement.className, getComputedStyle(document.body).colorScheme]);
    result.problems = page.problems;

    const plain = await open(browser, { storageState: await page.context().storageState(), javaScriptEnabled: false });
    await plain.goto(address);
    await plain.locator("[name=id]").first().check();
    await plain.locator(".bulk [value=ignored]").click();
    result.plain = { listed: await listed(plain), notice: await plain.locator(".notice").innerText() };
    return result;
});
