import { departures } from './departures.js';

const list = document.querySelector('#departures');
for (const { time, to } of departures) {
  const item = document.createElement('li');
  item.textContent = `${time} to ${to}`;
  list.append(item);
}
