import { priceOf, type Item } from "./price";

/** An order on its way to the till. */
export class Checkout {
    constructor(private readonly items: Item[]) {}

    finish(level: string): number {
        const total = this.total(level); // frame: finish
        return total + 499;
    }

    private total(level: string): number {
        return this.items
            .map((item) => priceOf(item, level)) // frame: arrow
            .reduce((sum, cents) => sum + cents, 0);
    }
}
