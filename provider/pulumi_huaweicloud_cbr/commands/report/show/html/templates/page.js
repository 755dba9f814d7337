"use strict";
// Search, sorting and a few rows at a time. Without this script the page shows all rows, in order.
(() => {
  const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
  const cells = (id, name) => document.querySelector(`.${name}[data-for="${id}"]`);
  const lists = new Map();

  // On a narrow screen some tables are shown as cards. For some screen readers these are no tables
  // any more, unless their parts say so.
  const asRow = (row) => {
    row.setAttribute("role", "row");
    for (const cell of row.cells) cell.setAttribute("role", cell.scope === "row" ? "rowheader" : "cell");
  };
  const asCards = (table) => {
    table.setAttribute("role", "table");
    for (const part of [table.tHead, table.tBodies[0]]) part.setAttribute("role", "rowgroup");
    table.tHead.rows[0].setAttribute("role", "row");
    for (const head of table.tHead.rows[0].cells) head.setAttribute("role", "columnheader");
  };

  class List {
    constructor(table) {
      this.table = table;
      this.body = table.tBodies[0];
      this.all = [...this.body.rows].map((element, place) => ({ element, place, text: null }));
      this.order = this.all;
      this.page = Number(table.dataset.page);
      this.limit = this.page;
      this.isCards = table.matches(".cards, .timeline");
      if (this.isCards) asCards(table);
      this.controls = cells(table.id, "controls");
      this.more = cells(table.id, "more");
      this.search = this.controls.querySelector("input");
      this.choice = this.controls.querySelector("select");
      this.shown = this.controls.querySelector(".shown");
      this.controls.hidden = false;
      this.search.addEventListener("input", () => this.restart());
      this.choice?.addEventListener("change", () => this.restart());
      for (const button of this.more.querySelectorAll("button")) {
        button.addEventListener("click", () => this.showMore(button));
      }
      for (const head of table.tHead.rows[0].cells) if ("sort" in head.dataset) this.sortable(head);
      this.draw();
    }

    sortable(head) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.replaceChildren(button);
      head.setAttribute("aria-sort", "none");
      button.addEventListener("click", () => this.sort(head));
    }

    // Ascending, then descending, then as the page came: the most urgent first.
    sort(head) {
      const next = { none: "ascending", ascending: "descending", descending: "none" };
      const way = next[head.getAttribute("aria-sort")];
      for (const other of head.parentNode.cells) {
        if (other.hasAttribute("aria-sort")) other.setAttribute("aria-sort", other === head ? way : "none");
      }
      this.order = way === "none" ? this.all : this.sorted(head.cellIndex, way === "ascending" ? 1 : -1);
      this.draw();
    }

    sorted(column, sign) {
      const keyed = this.all.map((row) => {
        const cell = row.element.cells[column];
        const key = cell.dataset.v === undefined ? cell.textContent : cell.dataset.v;
        return { row, key, number: key === "" ? NaN : Number(key) };
      });
      keyed.sort((one, other) => {
        // What has no value comes last, whichever way.
        if ((one.key === "") !== (other.key === "")) return one.key === "" ? 1 : -1;
        const difference = Number.isNaN(one.number) || Number.isNaN(other.number)
          ? collator.compare(one.key, other.key) : one.number - other.number;
        return sign * difference || one.row.place - other.row.place;
      });
      return keyed.map((each) => each.row);
    }

    chosen() {
      const words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
      const choice = this.choice ? this.choice.value : "";
      return this.order.filter((row) => {
        if (choice && !row.element.dataset.k.split(" ").includes(choice)) return false;
        if (!words.length) return true;
        row.text ??= row.element.textContent.toLowerCase();
        return words.every((word) => row.text.includes(word));
      });
    }

    restart() {
      this.limit = this.page;
      this.draw();
    }

    showMore(button) {
      const before = Math.min(this.limit, this.body.rows.length);
      this.limit = button.dataset.more === "all" ? Infinity : this.limit + Number(button.dataset.more);
      this.draw();
      // The button may be gone: go on where the new rows begin.
      const row = this.body.rows[before];
      if (this.more.hidden && row) {
        row.tabIndex = -1;
        row.focus();
      }
    }

    draw() {
      const chosen = this.chosen();
      const rows = chosen.slice(0, this.limit).map((row) => row.element);
      if (this.isCards) rows.forEach(asRow);
      this.body.replaceChildren(...rows);
      const shown = Math.min(this.limit, chosen.length);
      const count = (number) => number.toLocaleString("en");
      this.shown.textContent = chosen.length === this.all.length
        ? `${count(shown)} of ${count(chosen.length)} shown`
        : `${count(shown)} of ${count(chosen.length)} found, of ${count(this.all.length)} in all`;
      this.more.hidden = shown >= chosen.length;
    }

    // On paper nobody can ask for more: all rows, the most urgent first.
    print() {
      this.body.replaceChildren(...this.all.map((row) => row.element));
    }
  }

  for (const table of document.querySelectorAll("table[data-page]")) lists.set(table.id, new List(table));

  for (const link of document.querySelectorAll("a[data-choice]")) {
    link.addEventListener("click", () => {
      const list = lists.get(`${link.hash.slice(1)}-table`);
      if (!list) return;
      list.search.value = "";
      list.choice.value = link.dataset.choice;
      list.restart();
    });
  }
  addEventListener("beforeprint", () => lists.forEach((list) => list.print()));
  addEventListener("afterprint", () => lists.forEach((list) => list.draw()));
})();
