package example;
