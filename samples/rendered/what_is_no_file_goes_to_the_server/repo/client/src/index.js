import { createRoot } from 'react-dom/client';
import { useEffect, useState } from 'react';

function Seeds() {
  const [seeds, setSeeds] = useState([]);
  useEffect(() => { fetch('/seeds').then(answer => answer.json()).then(setSeeds); }, []);
  return <ul>{seeds.map(seed => <li key={seed}>{seed}</li>)}</ul>;
}

createRoot(document.getElementById('root')).render(<Seeds />);
