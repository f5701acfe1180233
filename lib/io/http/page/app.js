/**
 * The page: shows live updates of the view that the address names.
 * @module
 */

import { formatChoice, parseChoice } from "./address.js";
import { getJson } from "./api.js";
import { find, setText } from "./dom.js";
import { age, visible, zone } from "./format.js";
import { showAbout } from "./parts/about.js";
import { Counts } from "./parts/counts.js";
import { LettersDialog } from "./parts/letters.js";
import { LotteryBox } from "./parts/lottery_box.js";
import { isAbsent, noticesOf, showNotices, systemsDown } from "./parts/notices.js";
import { showStates, showTiles } from "./parts/tiles.js";
import { Stream } from "./stream.js";

/** @typedef {import("./address.js").ViewChoice} ViewChoice */
/** @typedef {import("../api.ts").StatusJson} Status */
/** @typedef {import("../api.ts").ViewJson} View */

class Page {
  #choice = parseChoice(location.search).choice;
  /** What is wrong with the address. @type {readonly string[]} */
  #problems = [];
  #counts = new Counts((lotteryName) => this.#choose({ ...this.#choice, lotteryName }));
  #box = new LotteryBox((lotteryName) => this.#choose({ ...this.#choice, lotteryName }));
  /** Whether the chosen lottery exists, if the view has no events of it; null until known. @type {boolean | null} */
  #isLotteryKnown = null;
  /** @type {Status | null} */
  #status = null;
  #statusAt = 0;
  /** Undefined until the first update. @type {View | null | undefined} */
  #view;
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
    new LettersDialog();
    setText(find("#zone"), zone());
    find("#choice").onsubmit = () => false; // choices take effect at once
    find("#ranges").addEventListener("change", () => {
      this.#choose({ ...this.#choice, range: find("#ranges :checked").value });
    });
    addEventListener("popstate", () => this.#showChoice(parseChoice(location.search)));
    setInterval(() => this.#showAges(), 1_000);
    this.#showChoice(parseChoice(location.search));
  }

  /** @param {ViewChoice} choice */
  #choose(choice) {
    const search = formatChoice(choice);
    if (search === formatChoice(this.#choice) && this.#problems.length === 0) return;
    history.pushState(null, "", `/${search}`);
    this.#showChoice({ choice, problems: [] });
  }

  /** @param {{ choice: ViewChoice, problems: readonly string[] }} address */
  #showChoice({ choice, problems }) {
    this.#choice = choice;
    this.#problems = problems;
    this.#view = undefined;
    this.#isLotteryKnown = null;
    this.#box.show(choice.lotteryName);
    find(`#ranges [value="${choice.range}"]`).checked = true;
    find("#scope").hidden = choice.lotteryName === null;
    setText(
      find("#scope"),
      `The chart and both windows show only ${visible(choice.lotteryName ?? "")}. ` +
        "The tiles and the busiest lotteries cover all lotteries.",
    );
    find("#main").ariaBusy = "true";
    this.#stream.open(`/live${formatChoice(choice)}`);
    this.#showConnection();
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
      this.#counts.show(data, this.#choice.lotteryName);
      if (isFirst && data && isAbsent(data, this.#choice)) void this.#checkLottery();
    }
    this.#showAges();
  }

  /** Finds out whether the chosen lottery exists. */
  async #checkLottery() {
    const { lotteryName } = this.#choice;
    const search = new URLSearchParams({ search: lotteryName ?? "" });
    const answer = await getJson(`/api/lotteries?${search}`).catch(() => null);
    if (!answer || lotteryName !== this.#choice.lotteryName) return;
    this.#isLotteryKnown = answer.lotteries.includes(lotteryName);
    this.#showConnection();
  }

  /** Refreshes what changes with time alone. Without a connection the numbers stay as they are. */
  #showAges() {
    if (this.#status && this.#connection === "live") {
      const nowMs = Date.parse(this.#status.now) + performance.now() - this.#statusAt;
      showTiles(this.#status, nowMs);
      showStates(this.#status, nowMs);
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
      choice: this.#choice,
      isLotteryKnown: this.#isLotteryKnown,
      problems: this.#problems,
    }));
    const isOld = this.#connection === "disconnected" && this.#status !== null;
    find("#age").hidden = !isOld;
    if (isOld) {
      setText(find("#age"), `Numbers from ${age(performance.now() - this.#statusAt)} ago.`);
    }
  }
}

new Page().start();
