CREATE TABLE moorings (name VARCHAR(40) PRIMARY KEY);
INSERT INTO moorings VALUES ('north'), ('south');
