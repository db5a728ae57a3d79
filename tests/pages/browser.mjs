// Chromium for the page tests: one browser, contexts by theme and width, and everything that went wrong on the way.
//
// The package and the browser are where SYMBOLIST_TEST_NODE_MODULES and SYMBOLIST_TEST_CHROMIUM say (tests/run sets them).
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const required = (name) => {
    const value = process.env[name];
    if (!value) throw new Error(`${name} is not set: start the tests by tests/run`);
    return value;
};
const load = createRequire(`${required("SYMBOLIST_TEST_NODE_MODULES")}/`);

// Nothing of the browser's own may go to the network.
const QUIET = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-features=Translate,OptimizationHints"];
const TIMEOUT_MS = 20_000;

export const WIDE = { width: 1280, height: 900 };
export const NARROW = { width: 390, height: 844 };

/** Runs `flow(browser)`, closes the browser, and prints what it returned as one line of JSON. */
export async function main(flow) {
    const { chromium } = load("playwright-core");
    const isRoot = process.getuid?.() === 0;
    const browser = await chromium.launch({
        executablePath: required("SYMBOLIST_TEST_CHROMIUM"),
        args: isRoot ? [...QUIET, "--no-sandbox"] : QUIET,
    });
    try {
        console.log(JSON.stringify(await flow(browser)));
    } finally {
        await browser.close();
    }
}

/**
 * A page in a fresh context. `page.problems` collects console errors, exceptions, failed requests, answers from 400 on, and
 * violations of the content security policy (Chromium reports those on the console).
 */
export async function open(browser, options = {}) {
    const context = await browser.newContext({ viewport: WIDE, colorScheme: "light", reducedMotion: "reduce", ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(TIMEOUT_MS);
    page.problems = [];
    page.on("console", (message) => message.type() === "error" && page.problems.push(`console: ${message.text()}`));
    page.on("pageerror", (error) => page.problems.push(`exception: ${error.message}`));
    // Going on to the next page aborts what the last one was still loading.
    const isAborted = (request) => request.failure()?.errorText === "net::ERR_ABORTED";
    page.on("requestfailed", (request) => isAborted(request) || page.problems.push(`request: ${request.url()} ${request.failure()?.errorText}`));
    page.on("response", (response) => response.status() >= 400 && page.problems.push(`answer: ${response.status()} ${response.url()}`));
    return page;
}

/** Logs in by the form, as a person does, and waits for the page after it. */
export async function logIn(page, url, email, password) {
    await page.goto(new URL("/login", url).href);
    await page.locator("[name=email]").fill(email);
    await page.locator("[name=password]").fill(password);
    await Promise.all([
        page.waitForURL((at) => !at.pathname.startsWith("/login")),
        page.locator("[name=password]").press("Enter"),
    ]);
}

/** What axe-core finds, as `rule: selector`. Evaluated over the protocol, which the page's policy does not touch. */
export async function accessibility(page) {
    await page.evaluate(readFileSync(load.resolve("axe-core/axe.min.js"), "utf8"));
    const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
    return violations.flatMap((it) => it.nodes.map((node) => `${it.id}: ${node.target.join(" ")}`));
}

/** Whether the page is wider than its window: a sideways scroll bar, which no page may have. */
export const isTooWide = (page) => page.evaluate(() => document.documentElement.scrollWidth > innerWidth);

/** The frames a reader sees now, top first, as `{function, inlined, place}`. */
export const visibleFrames = (page) =>
    page.locator(".frame:not(.folded)").evaluateAll((frames) =>
        frames
            .filter((frame) => frame.checkVisibility())
            .map((frame) => {
                const [name, place] = [".fn", ".at"].map((part) => frame.querySelector(part));
                const marks = [...(name?.querySelectorAll(".inl") ?? [])].map((mark) => mark.textContent.trim());
                const own = [...(name?.childNodes ?? [])].filter((node) => !node.classList?.contains("inl"));
                return {
                    function: own.map((node) => node.textContent).join("").trim(),
                    inlined: marks.some((mark) => mark.startsWith("inlined")),
                    place: place?.textContent.trim() ?? "",
                };
            }),
    );

/** The source lines a reader sees now: `{number, text, hit}` for each open frame. */
export const visibleSource = (page) =>
    page.locator(".src").evaluateAll((sources) =>
        sources
            .filter((source) => source.checkVisibility())
            .map((source) =>
                [...source.querySelectorAll("[data-n]")].map((line) => ({
                    number: Number(line.dataset.n),
                    text: line.textContent.replace(/\n$/, ""),
                    hit: line.classList.contains("hit"),
                })),
            ),
    );
