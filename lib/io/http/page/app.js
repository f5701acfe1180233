/**
 * The page: shows live updates of the view that the address names.
 * @module
 */

import { liveAddress } from "./address.js";
import { getJson } from "./api.js";
import { Choices } from "./choice/choices.js";
import { find, setText } from "./dom.js";
import { age, zone } from "./format.js";
import { showAbout } from "./parts/about.js";
import { showAudit } from "./parts/audit.js";
import { Chips } from "./choice/chips.js";
import { Counts } from "./parts/counts.js";
import { LettersDialog } from "./parts/letters.js";
import { LotteryBox } from "./choice/lottery_box.js";
import { absentOf, noticesOf, showNotices, systemsDown } from "./parts/notices.js";
import { QuietList } from "./parts/quiet.js";
import { RangeBox } from "./choice/range_box.js";
import { showStates, showTiles } from "./parts/tiles.js";
import { Stream } from "./stream.js";

/** @typedef {import("../api.ts").StatusJson} Status */
/** @typedef {import("../api.ts").ViewJson} View */

class Page {
  #choices = new Choices(() => this.#showChoice());
  #counts = new Counts(this.#choices);
  #box = new LotteryBox((lotteries) => this.#choices.choose({ lotteries }));
  #chips = new Chips({
    remove: (lottery) => this.#choices.toggleLottery(lottery),
    clear: () => this.#choices.choose({ lotteries: [] }),
  });
  #ranges = new RangeBox((range) => this.#choices.choose({ range }));
  #quiet = new QuietList((lottery) => this.#choices.toggleLottery(lottery));
  #letters = new LettersDialog({
    open: () => this.#choices.choose({ hasLetters: true }),
    close: () => this.#choices.choose({ hasLetters: false }),
  });
  /** Which of the chosen lotteries without events exist. @type {Map<string, boolean>} */
  #known = new Map();
  /** @type {Status | null} */
  #status = null;
  #statusAt = 0;
  /** Undefined until the first update. @type {View | null | undefined} */
  #view;
  /** What the stream sends. */
  #address = "";
  /** @type {import("./stream.js").Connection} */
  #connection = "connecting";
  /** @type {string | null} */
  #refusal = null;
  #stream = new Stream({
    onEvent: (name, data) => this.#onEvent(name, data),
    onConnection: (connection) => {
      this.#connection = connection;
      if (connection === "live") this.#refusal = null;
      this.#showConnection();
    },
    onRefusal: (reason) => {
      this.#refusal = reason;
      this.#showConnection();
    },
  });

  start() {
    setText(find("#zone"), zone());
    setInterval(() => this.#showAges(), 1_000);
    this.#choices.start();
  }

  #showChoice() {
    const { current: choice } = this.#choices;
    const address = liveAddress(choice);
    const isOther = address !== this.#address;
    this.#address = address;
    this.#box.show(choice.lotteries);
    this.#chips.show(choice.lotteries);
    this.#ranges.show(choice.range);
    this.#letters.show(choice, this.#nowMs);
    if (this.#status) this.#quiet.show(this.#status, choice.lotteries);
    if (isOther) {
      this.#view = undefined;
      this.#known.clear();
      find("#main").ariaBusy = "true";
    }
    this.#counts.choose(isOther);
    if (isOther) this.#stream.open(address);
    this.#showConnection();
  }

  /** By the server's clock. */
  get #nowMs() {
    return this.#status
      ? Date.parse(this.#status.now) + performance.now() - this.#statusAt
      : Date.now();
  }

  /** @param {"status" | "counts"} name @param {any} data */
  #onEvent(name, data) {
    if (name === "status") {
      this.#status = data;
      this.#statusAt = performance.now();
      showAbout(data);
    } else {
      const isFirst = this.#view === undefined;
      this.#view = data;
      find("#main").ariaBusy = "false";
      this.#counts.show(data);
      if (data) this.#ranges.propose({ fromMs: Date.parse(data.from), toMs: Date.parse(data.to) });
      if (isFirst && data) void this.#checkLotteries(data);
    }
    this.#showAges();
  }

  /** Finds out which of the chosen lotteries exist. @param {View} view */
  async #checkLotteries(view) {
    const address = this.#address;
    for (const name of absentOf(view, this.#choices.current)) {
      const search = new URLSearchParams({ search: name });
      const answer = await getJson(`/api/lotteries?${search}`).catch(() => null);
      if (address !== this.#address) return;
      if (answer) this.#known.set(name, answer.lotteries.includes(name));
      this.#showConnection();
    }
  }

  /** Refreshes what changes with time alone. Without a connection the numbers stay as they are. */
  #showAges() {
    if (this.#status && this.#connection === "live") {
      showTiles(this.#status, this.#nowMs);
      showStates(this.#status, this.#nowMs);
      showAudit(this.#status.audit, this.#nowMs);
      this.#quiet.show(this.#status, this.#choices.current.lotteries);
    }
    this.#showConnection();
  }

  #showConnection() {
    const down = this.#connection === "live" && this.#status ? systemsDown(this.#status) : [];
    const texts = {
      connecting: "Connecting",
      live: "Live",
      disconnected: "Disconnected, retrying",
      paused: "Paused",
      waiting: `Waiting for ${down.join(" and ")}`,
    };
    const shown = down.length > 0 ? "waiting" : this.#connection;
    document.body.dataset.connection = shown;
    document.body.classList.toggle("stale", shown !== "live");
    setText(find("#connection"), texts[shown]);
    showNotices(noticesOf({
      connection: this.#connection,
      refusal: this.#refusal,
      status: this.#status,
      view: this.#view,
      choice: this.#choices.current,
      known: this.#known,
      problems: this.#choices.problems,
    }));
    const isOld = this.#connection === "disconnected" && this.#status !== null;
    find("#age").hidden = !isOld;
    if (isOld) {
      setText(find("#age"), `Numbers from ${age(performance.now() - this.#statusAt)} ago.`);
    }
  }
}

new Page().start();
