// issue.mjs URL EMAIL PASSWORD PATH [FOLDER]: logs in, opens PATH and reads the stack trace as a person would.
//
// Prints {title, frames, source, problems, frames_without_script, looks: [{name, accessibility, too_wide, problems}]};
// with FOLDER, leaves a screenshot of each look there: {light,dark}-{wide,narrow}.png.
import { mkdirSync } from "node:fs";
import { accessibility, isTooWide, logIn, main, NARROW, open, visibleFrames, visibleSource, WIDE } from "./browser.mjs";

const [url, email, password, path, folder] = process.argv.slice(2);
if (!path) throw new Error("usage: issue.mjs URL EMAIL PASSWORD PATH [FOLDER]");
const address = new URL(path, url).href;

/** One look at the page in a theme and a width. */
async function look(browser, state, colorScheme, viewport, name) {
    const page = await open(browser, { storageState: state, colorScheme, viewport });
    await page.goto(address);
    const found = { name, accessibility: await accessibility(page), too_wide: await isTooWide(page), problems: page.problems };
    if (folder) await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
    await page.context().close();
    return found;
}

await main(async (browser) => {
    if (folder) mkdirSync(folder, { recursive: true });
    const page = await open(browser);
    await logIn(page, url, email, password);
    await page.goto(address);
    const result = {
        title: await page.locator("h1").first().innerText(),
        frames: await visibleFrames(page),
        source: await visibleSource(page),
        problems: page.problems,
    };
    const state = await page.context().storageState();

    const plain = await open(browser, { storageState: state, javaScriptEnabled: false });
    await plain.goto(address);
    result.frames_without_script = await visibleFrames(plain);

    result.looks = [];
    for (const theme of ["light", "dark"])
        for (const [size, viewport] of Object.entries({ wide: WIDE, narrow: NARROW }))
            result.looks.push(await look(browser, state, theme, viewport, `${theme}-${size}`));
    return result;
});
