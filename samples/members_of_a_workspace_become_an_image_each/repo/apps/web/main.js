import { highWater } from "@tide-table/tides";

async function show() {
  const answer = await fetch("/api/tides").catch(() => undefined);
  const high = answer?.ok ? (await answer.json()).high : highWater(250);
  const items = high.map((time) => Object.assign(document.createElement("li"), { textContent: time }));
  document.querySelector("#list").replaceChildren(...items);
}

show();
