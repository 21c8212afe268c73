/** A line of those who wait, first come, first served.
 * Invariant: joining, and leaving at either end, takes the same time however long the line is: when brokers are away,
 * a hundred thousand calls may stand in it, and all have to be told by their deadlines.
 */

/** A line. */
export class Line<T> {
  #items: T[] = [];
  /** Those before it have left. */
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  get first(): T | undefined {
    return this.#items[this.#head];
  }

  get last(): T | undefined {
    return this.length === 0 ? undefined : this.#items.at(-1);
  }

  /** Joins at the end. */
  push(item: T): void {
    this.#items.push(item);
  }

  /** Leaves, wherever it stands; does nothing for one that is not in it. */
  remove(item: T): void {
    const items = this.#items;
    const index = items.indexOf(item, this.#head);
    if (index < 0) return;
    if (index > this.#head) items.splice(index, 1);
    // What has left is let go in one go, when it is the larger half.
    else if (++this.#head * 2 >= items.length) {
      this.#items = items.slice(this.#head);
      this.#head = 0;
    }
  }
}
