require('http').createServer((q, a) => a.end('parcels')).listen(4100);
