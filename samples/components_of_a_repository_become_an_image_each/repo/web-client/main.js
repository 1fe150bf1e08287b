async function show() {
  const rooms = await (await fetch("/api/rooms")).json();
  const items = rooms.map(({ name }) => Object.assign(document.createElement("li"), { textContent: name }));
  document.querySelector("#list").replaceChildren(...items);
}

show();
