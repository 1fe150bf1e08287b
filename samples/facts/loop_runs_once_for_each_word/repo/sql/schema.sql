create table shelf (name text);
