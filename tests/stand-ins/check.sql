CREATE TABLE checked (n integer); INSERT INTO checked VALUES (42);
