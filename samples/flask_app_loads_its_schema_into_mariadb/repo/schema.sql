CREATE TABLE book (
  id INT AUTO_INCREMENT PRIMARY KEY,
  title VARCHAR(200) NOT NULL,
  lent_to VARCHAR(100)
) DEFAULT CHARSET = utf8mb4;

INSERT INTO book (title, lent_to) VALUES
  ('Bridges and how they fail', NULL),
  ('The long winter of 1963', 'Room 12'),
  ('First aid at school', NULL);
