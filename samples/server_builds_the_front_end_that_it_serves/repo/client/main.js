async function show() {
  const plots = await (await fetch("/api/plots")).json();
  document.querySelector("#list").textContent = plots.join(", ");
}

show();
