-- 2d6e25af4d3e: params of up to 8,000 characters.

alter table params modify value varchar(8000) not null;
