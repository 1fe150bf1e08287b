const list = document.querySelector('#stalls');

fetch('/api/stalls')
  .then(answer => answer.json())
  .then(stalls => {
    for (const { sells } of stalls) {
      const item = document.createElement('li');
      item.textContent = sells;
      list.append(item);
    }
  });
