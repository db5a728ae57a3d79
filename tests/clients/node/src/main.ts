// Throws inside a nested function, below an arrow function and a class method, and reports it to SENTRY_DSN.
// Prints {"event_id": …}. The lines that the tests expect are marked `frame:`.
import * as Sentry from "@sentry/node";
import { Checkout } from "./checkout";

Sentry.init({ dsn: process.env.SENTRY_DSN, release: "crash@1.0.0", environment: "test", serverName: "test-host" });

function main(): string {
    const checkout = new Checkout([{ cents: 250, count: 3 }, { cents: 1999, count: 1 }]);
    try {
        checkout.finish("bronze"); // frame: main
    } catch (error) {
        return Sentry.captureException(error);
    }
    throw new Error("the order should not have a price");
}

async function run(): Promise<void> {
    const eventId = main();
    const isSent = await Sentry.flush(20_000);
    if (!isSent) throw new Error("the event was not sent within 20 s");
    console.log(JSON.stringify({ event_id: eventId }));
}

void run();
