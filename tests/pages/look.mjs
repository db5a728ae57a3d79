// look.mjs URL EMAIL PASSWORD FOLDER PATH…: logs in and looks at each PATH, in both themes and both widths.
//
// Prints [{path, looks: [{name, accessibility, too_wide, problems}]}] and leaves FOLDER/N-{light,dark}-{wide,narrow}.png,
// N counting the paths from 1. An EMAIL of "-" looks without logging in.
import { mkdirSync } from "node:fs";
import { accessibility, isTooWide, logIn, main, NARROW, open, WIDE } from "./browser.mjs";

const [url, email, password, folder, ...paths] = process.argv.slice(2);
if (paths.length === 0) throw new Error("usage: look.mjs URL EMAIL PASSWORD FOLDER PATH…");

await main(async (browser) => {
    mkdirSync(folder, { recursive: true });
    const first = await open(browser);
    if (email !== "-") await logIn(first, url, email, password);
    const storageState = await first.context().storageState();
    const found = paths.map((path) => ({ path, looks: [] }));
    for (const colorScheme of ["light", "dark"])
        for (const [size, viewport] of Object.entries({ wide: WIDE, narrow: NARROW })) {
            const page = await open(browser, { storageState, colorScheme, viewport });
            for (const [at, entry] of found.entries()) {
                page.problems = [];
                await page.goto(new URL(entry.path, url).href);
                const name = `${at + 1}-${colorScheme}-${size}`;
                await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
                entry.looks.push({ name, accessibility: await accessibility(page), too_wide: await isTooWide(page), problems: page.problems });
            }
            await page.context().close();
        }
    return found;
});
