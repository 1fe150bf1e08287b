insert into shelf values ('top');
