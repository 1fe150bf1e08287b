CREATE TABLE loans (
  id INT AUTO_INCREMENT PRIMARY KEY,
  title VARCHAR(200) NOT NULL,
  reader VARCHAR(100) NOT NULL
);
INSERT INTO loans (title, reader) VALUES
  ('The Old Man and the Sea', 'Ida'),
  ('Momo', 'Paul'),
  ('A Room of One''s Own', 'Ida');
