export interface Item {
    cents: number;
    count: number;
}

interface Rate {
    percent: number;
}

const RATES: Record<string, Rate | undefined> = { gold: { percent: 80 }, silver: { percent: 90 } };

/** The price of an item for a customer of `level`. */
export function priceOf(item: Item, level: string): number {
    function rated(cents: number): number {
        const rate = RATES[level];
        if (rate === undefined) {
            throw new RangeError(`no rate for level ${level}`); // frame: rated
        }
        return (cents * rate.percent) / 100;
    }

    return rated(item.cents) * item.count; // frame: priceOf
}
