INSERT INTO album (id, name) VALUES ('1', 'One');
