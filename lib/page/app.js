/**
 * The page: shows what the stream tells, for the view that stands in the address.
 * @module
 */

import { formatChoice, parseChoice } from "./address.js";
import { Counts } from "./counts.js";
import { find, setText } from "./dom.js";
import { age, zone } from "./format.js";
import { LettersDialog } from "./letters.js";
import { Stream } from "./stream.js";
import { showStates, showTiles } from "./tiles.js";

/** @typedef {import("../core/window_view.ts").ViewChoice} ViewChoice */
/** @typedef {import("../core/window_view.ts").WindowView} WindowView */
/** @typedef {import("../io/http/api.ts").StatusJson} Status */

class Page {
  #choice = parseChoice(location.search);
  #counts = new Counts((lotteryName) => this.#choose({ ...this.#choice, lotteryName }));
  /** @type {Status | null} */
  #status = null;
  #statusAt = 0;
  /** Undefined before the server has told. @type {WindowView | null | undefined} */
  #view;
  /** @type {import("./stream.js").Connection} */
  #connection = "connecting";
  #stream = new Stream({
    onEvent: (name, data) => this.#onEvent(name, data),
    onConnection: (connection) => {
      this.#connection = connection;
      this.#showConnection();
    },
  });

  start() {
    new LettersDialog();
    setText(find("#zone"), zone());
    find("#choice").addEventListener(
      "submit",
      (/** @type {Event} */ event) => event.preventDefault(),
    );
    find("#choice").addEventListener("change", () => this.#onForm());
    find("#lottery").addEventListener("search", () => this.#onForm());
    addEventListener("popstate", () => this.#look(parseChoice(location.search)));
    setInterval(() => this.#showAges(), 1_000);
    this.#look(this.#choice);
  }

  #onForm() {
    const range = find("#choice [name=range]:checked").value;
    this.#choose({ range, lotteryName: find("#lottery").value || null });
  }

  /** @param {ViewChoice} choice */
  #choose(choice) {
    const search = formatChoice(choice);
    if (search === formatChoice(this.#choice)) return;
    history.pushState(null, "", `/${search}`);
    this.#look(choice);
  }

  /** @param {ViewChoice} choice */
  #look(choice) {
    this.#choice = choice;
    find("#lottery").value = choice.lotteryName ?? "";
    find(`#choice [value="${choice.range}"]`).checked = true;
    find("#main").ariaBusy = "true";
    this.#stream.open(`/live${formatChoice(choice)}`);
  }

  /** @param {"status" | "counts"} name @param {any} data */
  #onEvent(name, data) {
    if (name === "status") {
      this.#status = data;
      this.#statusAt = performance.now();
    } else {
      this.#view = data;
      find("#main").ariaBusy = "false";
      this.#counts.show(data, this.#choice.lotteryName);
    }
    this.#showAges();
  }

  /** What changes with time alone, and with the status; what is old stays as it was. */
  #showAges() {
    if (this.#status && this.#connection === "live") {
      const nowMs = Date.parse(this.#status.now) + performance.now() - this.#statusAt;
      showTiles(this.#status, nowMs);
      showStates(this.#status, nowMs);
    }
    this.#showConnection();
  }

  #showConnection() {
    const texts = {
      connecting: "Connecting",
      live: "Live",
      disconnected: "Disconnected, retrying",
      paused: "Paused",
    };
    document.body.dataset.connection = this.#connection;
    setText(find("#connection"), texts[this.#connection]);
    const notice = this.#notice();
    find("#notice").hidden = notice === null;
    document.body.classList.toggle("stale", this.#connection !== "live" || this.#isDatabaseAway());
    setText(find("#notice .text"), notice ?? "");
    const isOld = this.#connection === "disconnected" && this.#status !== null;
    const ago = age(performance.now() - this.#statusAt);
    setText(find("#notice .age"), isOld ? `These are the numbers of ${ago} ago.` : "");
  }

  #isDatabaseAway() {
    return this.#status?.postgresql.state === "down";
  }

  /** What whoever looks on has to know, in a sentence. */
  #notice() {
    if (this.#connection === "disconnected") {
      return "The worker does not answer. The page goes on by itself as soon as it does.";
    }
    if (this.#isDatabaseAway()) {
      return "PostgreSQL does not answer. Nothing is lost: the worker waits, and commits what it holds when it is back.";
    }
    if (this.#view === null) {
      return "No events yet. Counts appear here with the first commit.";
    }
    return null;
  }
}

new Page().start();
