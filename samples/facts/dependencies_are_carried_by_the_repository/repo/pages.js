document.querySelector('form').addEventListener('submit', () => console.log('sent'));
