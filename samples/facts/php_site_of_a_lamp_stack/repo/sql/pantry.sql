CREATE TABLE shelves (id INT);
